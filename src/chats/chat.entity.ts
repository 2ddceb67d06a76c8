import { Check, Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { ChatType } from '../contract/chats.js';
import { User } from '../users/user.entity.js';

/** A chat and its counters. Every write to a chat locks this row first. */
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

  /** The newest `change_seq`. Each edit, deletion, rename, and change of membership or role adds one. */
  @Column('bigint', { name: 'last_change_seq', default: 0 })
  lastChangeSeq: number;

  /** The `change_seq` of the last change of membership; 0 if there was none. */
  @Column('bigint', { name: 'members_seq', default: 0 })
  membersSeq: number;

  /** The read mark, the smallest cursor of the members: all of them have read up to this `seq`. */
  @Column('bigint', { name: 'read_by_all_seq', default: 0 })
  readByAllSeq: number;

  /** The time of the newest message, or of the chat's creation. Never runs backwards. */
  @Column({ type: 'timestamptz', name: 'last_activity_at', precision: 3, default: () => 'now()' })
  lastActivityAt: Date;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt: Date;

  /**
   * Nobody can write in this private chat: one of the two blocks the other, or has closed their account. Set with each
   * block, so that a send needn't read `blocks`.
   */
  @Column('boolean', { default: false })
  blocked: boolean;

  /** When the group was deleted. It has no members any more, and `DeletedChatsSweeper` removes its messages. */
  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3, nullable: true })
  deletedAt: Date | null;
}
