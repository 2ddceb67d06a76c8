import { Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';
import { Chat } from './chat.entity.js';

/**
 * Somebody who wrote in a group and then left it. `messages` has no index by sender, so this row says where else their
 * messages are.
 */
@Entity('former_members')
@Index('former_members_chat', ['chatId'])
export class FormerMember {
  @PrimaryColumn('bigint', { name: 'user_id', primaryKeyConstraintName: 'former_members_pkey' })
  @ForeignKey(() => User, { name: 'former_members_user_fkey' })
  userId: number;

  @PrimaryColumn('bigint', { name: 'chat_id', primaryKeyConstraintName: 'former_members_pkey' })
  @ForeignKey(() => Chat, { name: 'former_members_chat_fkey', onDelete: 'CASCADE' })
  chatId: number;
}
