import { Check, Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';
import { User } from '../users/user.entity.js';
import { Chat } from './chat.entity.js';

/**
 * The two people of a private chat; in a chat with oneself they are the same. The unique key makes sure that two people
 * have one private chat, also under a race.
 */
@Entity('private_chats')
@Unique('private_chats_pair_key', ['lowUserId', 'highUserId'])
@Check('private_chats_order', 'low_user_id <= high_user_id')
export class PrivateChat {
  @PrimaryColumn('bigint', { name: 'chat_id', primaryKeyConstraintName: 'private_chats_pkey' })
  @ForeignKey(() => Chat, { name: 'private_chats_chat_fkey', onDelete: 'CASCADE' })
  chatId: number;

  @Column('bigint', { name: 'low_user_id' })
  @ForeignKey(() => User, { name: 'private_chats_low_user_fkey' })
  lowUserId: number;

  @Column('bigint', { name: 'high_user_id' })
  @ForeignKey(() => User, { name: 'private_chats_high_user_fkey' })
  highUserId: number;
}
