import { Check, Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { ChatType } from '../contract/chats.js';
import { User } from '../users/user.entity.js';

/** A conversation and its counters. Its row is the lock that every write to the chat takes first. */
@Entity('chats')
@Index('chats_deleted', ['id'], { where: 'deleted_at IS NOT NULL' })
@Check('chats_type', `type IN ('private', 'group')`)
export class Chat {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'chats_pkey' })
  id: number;

  @Column('text')
  type: ChatType;

  @Column('bigint', { name: 'creator_id' })
  @ForeignKey(() => User, { name: 'chats_creator_fkey' })
  creatorId: number;

  /** The `seq` of the newest message; 0 before the first. */
  @Column('bigint', { name: 'last_seq', default: 0 })
  lastSeq: number;

  /** The newest `change_seq`: edits, deletions, names, memberships and roles count it up. */
  @Column('bigint', { name: 'last_change_seq', default: 0 })
  lastChangeSeq: number;

  /** The `change_seq` of the last change of who is a member; 0 if there was none. */
  @Column('bigint', { name: 'members_seq', default: 0 })
  membersSeq: number;

  /** The smallest cursor of the members: all of them have read up to here. */
  @Column('bigint', { name: 'read_by_all_seq', default: 0 })
  readByAllSeq: number;

  /** The time of the newest message, or of the chat's creation. Never runs backwards. */
  @Column({ type: 'timestamptz', name: 'last_activity_at', precision: 3, default: () => 'now()' })
  lastActivityAt: Date;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt: Date;

  /** One of the two of a private chat blocks the other, or has closed their account: nobody writes. Kept with each block, so that sending looks up nothing. */
  @Column('boolean', { default: false })
  blocked: boolean;

  /** Set when a group is deleted: nobody is in it any more, and its messages are being removed. */
  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3, nullable: true })
  deletedAt: Date | null;
}
