import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { Role } from '../contract/chats.js';
import { User } from '../users/user.entity.js';
import { Chat } from './chat.entity.js';

/** Somebody's membership in a chat: their role and their cursor. Changed under the lock of the chat. */
@Entity('chat_members')
@Check('chat_members_role', `role IN ('owner', 'admin', 'member')`)
@Index('chat_members_user', ['userId', 'chatId'])
@Index('chat_members_activity', ['userId', 'activeAt', 'chatId'])
@Index('chat_members_changes', ['chatId', 'changeSeq'], { where: 'change_seq > 0' })
export class ChatMember {
  @PrimaryColumn('bigint', { name: 'chat_id', primaryKeyConstraintName: 'chat_members_pkey' })
  @ForeignKey(() => Chat, { name: 'chat_members_chat_fkey', onDelete: 'CASCADE' })
  chatId: number;

  @PrimaryColumn('bigint', { name: 'user_id', primaryKeyConstraintName: 'chat_members_pkey' })
  @ForeignKey(() => User, { name: 'chat_members_user_fkey' })
  userId: number;

  @Column('text', { default: 'member' })
  role: Role;

  @Column({ type: 'timestamptz', name: 'joined_at', precision: 3, default: () => 'clock_timestamp()' })
  joinedAt: Date;

  /** The cursor: all messages up to this `seq` are read. Only grows. */
  @Column('bigint', { name: 'last_read_seq', default: 0 })
  lastReadSeq: number;

  /** The `seq` of the member's newest message; 0 before the first. */
  @Column('bigint', { name: 'last_sent_seq', default: 0 })
  lastSentSeq: number;

  /**
   * The place of the chat in the member's list: the time of its newest message, or of its creation. `ActivityWriter`
   * moves it, up to a second behind `Chat.lastActivityAt`.
   */
  @Column({ type: 'timestamptz', name: 'active_at', precision: 3, default: () => 'now()' })
  activeAt: Date;

  /**
   * The number of the chat's change by which the membership last changed: they joined, or got a new role or name. 0 for
   * somebody who has been in the chat from its beginning, as they were. `ChatOutbox` sets it.
   */
  @Column('bigint', { name: 'change_seq', default: 0 })
  changeSeq: number;

  /** The `User.nameVersion` that the chat was told of last. `NameSweeper` advances it. */
  @Column('integer', { name: 'name_version', default: 0 })
  nameVersion: number;
}
