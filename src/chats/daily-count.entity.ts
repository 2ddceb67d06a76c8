import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** How many groups a person has made, and how many people they have added to groups, in the day from `beganAt` on. */
@Entity('daily_counts')
export class DailyCount {
  @PrimaryColumn('bigint', { name: 'user_id', primaryKeyConstraintName: 'daily_counts_pkey' })
  @ForeignKey(() => User, { name: 'daily_counts_user_fkey' })
  userId: number;

  @Column({ type: 'timestamptz', name: 'began_at', precision: 3, default: () => 'now()' })
  beganAt: Date;

  @Column('integer', { name: 'groups_made' })
  groupsMade: number;

  @Column('integer', { name: 'people_added' })
  peopleAdded: number;
}
