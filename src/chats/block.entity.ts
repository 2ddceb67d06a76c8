import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** Somebody who wants nothing more from somebody. What follows for their private chat is `Chat.blocked`. */
@Entity('blocks')
@Index('blocks_blocked', ['blockedId', 'blockerId'])
export class Block {
  @PrimaryColumn('bigint', { name: 'blocker_id', primaryKeyConstraintName: 'blocks_pkey' })
  @ForeignKey(() => User, { name: 'blocks_blocker_fkey' })
  blockerId: number;

  @PrimaryColumn('bigint', { name: 'blocked_id', primaryKeyConstraintName: 'blocks_pkey' })
  @ForeignKey(() => User, { name: 'blocks_blocked_fkey' })
  blockedId: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt: Date;
}
