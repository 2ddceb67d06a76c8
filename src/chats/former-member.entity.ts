import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';
import { Chat } from './chat.entity.js';

/**
 * Somebody who has left a group. Sync tells the members of it. And `messages` has no index by sender, so this row says
 * where else their messages are. It stays when they join again.
 */
@Entity('former_members')
@Index('former_members_chat', ['chatId', 'changeSeq'])
export class FormerMember {
  @PrimaryColumn('bigint', { name: 'user_id', primaryKeyConstraintName: 'former_members_pkey' })
  @ForeignKey(() => User, { name: 'former_members_user_fkey' })
  userId: number;

  @PrimaryColumn('bigint', { name: 'chat_id', primaryKeyConstraintName: 'former_members_pkey' })
  @ForeignKey(() => Chat, { name: 'former_members_chat_fkey', onDelete: 'CASCADE' })
  chatId: number;

  /** The number of the chat's change by which they left. 0 while they are a member again. `ChatOutbox` sets it. */
  @Column('bigint', { name: 'change_seq', default: 0 })
  changeSeq: number;

  /** Whether the chat has messages of theirs, or had some. */
  @Column('boolean')
  wrote: boolean;
}
