import { Injectable } from '@nestjs/common';
import type { AddableBy } from '../contract/users.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { DailyCount } from './daily-count.entity.js';

/** What decides whether somebody may add a person to a group. */
export interface Candidate {
  readonly id: number;
  readonly addable_by: AddableBy;
  /** Whether the person has blocked the one who adds. */
  readonly has_blocked: boolean;
  /** The chats that the person is in, counted up to the bound. */
  readonly chats: number;
}

/** What a person has done in their current day, and for how long it lasts, in milliseconds. */
export interface DaySoFar {
  readonly groups_made: number;
  readonly people_added: number;
  readonly ms_left: number;
}

/** SQL: the day of the row `d` is over. */
const IS_OVER = `d.began_at <= now() - interval '1 day'`;

/** The queries of `AdditionsService`: the table `daily_counts`, and what people allow. */
@Injectable()
export class AdditionsRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Counts new groups and additions, in a new day when the last one is over. The row is locked until the commit. */
  async count(userId: number, groups: number, people: number): Promise<DaySoFar> {
    const rows: DaySoFar[] = await this.unitOfWork.manager.query(
      `INSERT INTO daily_counts AS d (user_id, groups_made, people_added) VALUES ($1, $2, $3)
       ON CONFLICT (user_id) DO UPDATE SET
         began_at = CASE WHEN ${IS_OVER} THEN now() ELSE d.began_at END,
         groups_made = CASE WHEN ${IS_OVER} THEN 0 ELSE d.groups_made END + $2,
         people_added = CASE WHEN ${IS_OVER} THEN 0 ELSE d.people_added END + $3
       RETURNING groups_made, people_added,
         extract(epoch FROM began_at + interval '1 day' - now())::float8 * 1000 AS ms_left`,
      [userId, groups, people],
    );
    return rows[0]!;
  }

  /** Deletes the count of a closed account. */
  async forget(userId: number): Promise<void> {
    await this.unitOfWork.repository(DailyCount).delete({ userId });
  }

  /** What decides whether `actorId` may add each of these people. Call it while their rows in `users` are locked. */
  candidates(actorId: number, ids: readonly number[], maxChats: number): Promise<Candidate[]> {
    return this.unitOfWork.manager.query(
      `SELECT u.id, u.addable_by,
         EXISTS (SELECT FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = $1) AS has_blocked,
         (SELECT count(*)::int FROM (SELECT FROM chat_members m WHERE m.user_id = u.id LIMIT $3) c) AS chats
       FROM users u WHERE u.id = ANY($2)`,
      [actorId, ids, maxChats],
    );
  }

  /** Those of these people who have written to `actorId`, in their private chat. */
  async correspondents(actorId: number, ids: readonly number[]): Promise<number[]> {
    const rows: { id: number }[] = await this.unitOfWork.manager.query(
      `SELECT m.user_id AS id FROM unnest($2::bigint[]) AS u(id)
       JOIN private_chats p ON p.low_user_id = least(u.id, $1) AND p.high_user_id = greatest(u.id, $1)
       JOIN chat_members m ON m.chat_id = p.chat_id AND m.user_id = u.id AND m.last_sent_seq > 0`,
      [actorId, ids],
    );
    return rows.map(({ id }) => id);
  }
}
