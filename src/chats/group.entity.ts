import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { Chat } from './chat.entity.js';

/** The fields that only a chat of type `group` has. `groups` changes them under the lock of the chat. */
@Entity('groups')
export class Group {
  @PrimaryColumn('bigint', { name: 'chat_id', primaryKeyConstraintName: 'groups_pkey' })
  @ForeignKey(() => Chat, { name: 'groups_chat_fkey', onDelete: 'CASCADE' })
  chatId: number;

  @Column('varchar', { length: 100 })
  name: string;

  /** The number of members. Stored, so that a list of chats needn't count them; changed under the chat's lock. */
  @Column('integer', { name: 'member_count' })
  memberCount: number;
}
