import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Client } from './client.js';
import { Session } from './session.entity.js';

/** All times are the database's: nodes needn't agree on theirs. */
const LIVE = 'revoked_xid IS NULL AND expires_at > now()';

const inSeconds = (seconds: number) => (): string => `now() + make_interval(secs => ${seconds})`;

/** What a refresh token leaves in the row of its session. */
export type RotationState = Pick<Session, 'currentHash' | 'previousHash' | 'rotationKey'>;

/** What the nodes have to know of the sessions that have ended. */
export interface Revocations {
  readonly sessions: { id: string; userId: number }[];
  /** Where to read on: every transaction before this one is finished, and what it revoked was seen. */
  readonly lowWatermark: number;
}

@Injectable()
export class SessionsRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  async create(id: string, userId: number, currentHash: Buffer, client: Client, seconds: number): Promise<void> {
    const row = { id, userId, currentHash, ...client, expiresAt: inSeconds(seconds) };
    await this.unitOfWork.repository(Session).insert(row);
  }

  /** The session, unless it has ended; locked until the transaction ends. */
  lockLive(id: string): Promise<Session | null> {
    return this.unitOfWork
      .repository(Session)
      .createQueryBuilder()
      .where(`id = :id AND ${LIVE}`, { id })
      .setLock('pessimistic_write')
      .getOne();
  }

  /** Stores a refresh, and gives the session this many more seconds. */
  async refresh(id: string, state: RotationState, client: Client, seconds: number): Promise<void> {
    const changes = { ...state, ...client, lastUsedAt: () => 'now()', expiresAt: inSeconds(seconds) };
    await this.unitOfWork.repository(Session).update({ id }, changes);
  }

  /** The user's sessions, latest use first. */
  list(userId: number): Promise<Session[]> {
    return this.unitOfWork
      .repository(Session)
      .createQueryBuilder('session')
      .where(`user_id = :userId AND ${LIVE}`, { userId })
      .orderBy({ 'session.lastUsedAt': 'DESC', 'session.id': 'ASC' })
      .getMany();
  }

  /** Ends one session of the user; its id, or nothing when there is no such one. The rows stay for `seconds`. */
  revoke(userId: number, id: string, seconds: number): Promise<string[]> {
    return this.revokeWhere('id = $3', [userId, seconds, id]);
  }

  /** Ends all sessions of the user but one; their ids. */
  revokeOthers(userId: number, id: string, seconds: number): Promise<string[]> {
    return this.revokeWhere('id <> $3', [userId, seconds, id]);
  }

  /** Ends all sessions of the user; their ids. */
  revokeAll(userId: number, seconds: number): Promise<string[]> {
    return this.revokeWhere('true', [userId, seconds]);
  }

  /** Ends what the user has beyond `limit` sessions, those that are longest out of use; their ids. */
  revokeBeyond(userId: number, limit: number, seconds: number): Promise<string[]> {
    const beyond = `SELECT id FROM sessions WHERE user_id = $1 AND ${LIVE} ORDER BY last_used_at DESC, id OFFSET $3`;
    return this.revokeWhere(`id IN (${beyond})`, [userId, seconds, limit]);
  }

  /** What was revoked by the transactions from the watermark on and may still have an access token that is good. */
  async revokedSince(lowWatermark: number): Promise<Revocations> {
    const rows: { id: string | null; user_id: number; low_watermark: number }[] = await this.unitOfWork.manager.query(
      `SELECT s.id, s.user_id, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS low_watermark
       FROM (VALUES (1)) one LEFT JOIN sessions s ON s.revoked_xid >= $1 AND s.expires_at > now()`,
      [lowWatermark],
    );
    const sessions = rows.flatMap(({ id, user_id }) => (id === null ? [] : [{ id, userId: user_id }]));
    return { sessions, lowWatermark: rows[0]!.low_watermark };
  }

  /** Removes up to `limit` rows that nobody needs any more. */
  async removeExpired(limit: number): Promise<void> {
    await this.unitOfWork.manager.query(
      `DELETE FROM sessions WHERE id IN (
         SELECT id FROM sessions WHERE expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [limit],
    );
  }

  private async revokeWhere(condition: string, parameters: unknown[]): Promise<string[]> {
    // Locked in the order of their ids, so that two calls for one user can't wait for each other.
    const [rows]: [{ id: string }[], number] = await this.unitOfWork.manager.query(
      `UPDATE sessions SET revoked_xid = pg_current_xact_id()::text::bigint, expires_at = now() + make_interval(secs => $2)
       WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 AND ${condition} AND ${LIVE} ORDER BY id FOR UPDATE)
       RETURNING id`,
      parameters,
    );
    return rows.map(({ id }) => id);
  }
}
