import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** One user blocks another. `Chat.blocked` holds the consequence for their private chat. */
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
