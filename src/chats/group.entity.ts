import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { Chat } from './chat.entity.js';

/** What only a chat of type `group` has. */
@Entity('groups')
export class Group {
  @PrimaryColumn('bigint', { name: 'chat_id', primaryKeyConstraintName: 'groups_pkey' })
  @ForeignKey(() => Chat, { name: 'groups_chat_fkey', onDelete: 'CASCADE' })
  chatId: number;

  @Column('varchar', { length: 100 })
  name: string;

  /** Kept under the chat's lock, so that a list of chats counts nobody. */
  @Column('integer', { name: 'member_count' })
  memberCount: number;
}
