import { Injectable } from '@nestjs/common';
import { PollingConnection } from '../database/polling.connection.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Client } from './client.js';
import { Session } from './session.entity.js';

/** SQL: the session has not ended. All times are those of the database, so the clocks of nodes don't matter. */
const LIVE = 'revoked_xid IS NULL AND expires_at > now()';

/** SQL: the time so many seconds from now. */
const inSeconds = (seconds: number) => (): string => `now() + make_interval(secs => ${seconds})`;

/** The columns of a session that a rotation sets. */
export type RotationState = Pick<Session, 'currentHash' | 'previousHash' | 'retryHash' | 'rotatedAt' | 'rotationKey'>;

/** Revoked sessions, and from where the next poll reads. */
export interface Revocations {
  readonly sessions: { id: string; userId: number }[];
  /**
   * The transaction id from which to read next: every earlier transaction is finished, and what it revoked is in this
   * or an earlier answer.
   */
  readonly lowWatermark: number;
}

/**
 * The table `sessions`. Only `SessionsService` and `RevokedSessionsRegistry` use it. A session is revoked by an update;
 * its row is deleted later.
 */
@Injectable()
export class SessionsRepository {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly polling: PollingConnection,
  ) {}

  /** Inserts a session that expires in `seconds` unless it is refreshed. */
  async create(id: string, userId: number, currentHash: Buffer, client: Client, seconds: number): Promise<void> {
    const row = { id, userId, currentHash, ...client, expiresAt: inSeconds(seconds) };
    await this.unitOfWork.repository(Session).insert(row);
  }

  /** The session with its row locked until the transaction ends; null when it has ended. */
  lockLive(id: string): Promise<Session | null> {
    return this.unitOfWork
      .repository(Session)
      .createQueryBuilder()
      .where(`id = :id AND ${LIVE}`, { id })
      .setLock('pessimistic_write')
      .getOne();
  }

  /** Stores a refresh, and what it rotated, if it was no retry; the session then expires in `seconds`. */
  async refresh(id: string, rotated: Partial<RotationState>, client: Client, seconds: number): Promise<void> {
    const changes = { ...rotated, ...client, lastUsedAt: () => 'now()', expiresAt: inSeconds(seconds) };
    await this.unitOfWork.repository(Session).update({ id }, changes);
  }

  /** The user's live sessions, latest use first. */
  list(userId: number): Promise<Session[]> {
    return this.unitOfWork
      .repository(Session)
      .createQueryBuilder('session')
      .where(`user_id = :userId AND ${LIVE}`, { userId })
      .orderBy({ 'session.lastUsedAt': 'DESC', 'session.id': 'ASC' })
      .getMany();
  }

  /**
   * Ends one session of the user; returns its id, or an empty list when the user has no such session. The row stays for
   * `seconds`.
   */
  revoke(userId: number, id: string, seconds: number): Promise<string[]> {
    return this.revokeWhere('id = $3', [userId, seconds, id]);
  }

  /** Ends all sessions of the user except one; returns their ids. */
  revokeOthers(userId: number, id: string, seconds: number): Promise<string[]> {
    return this.revokeWhere('id <> $3', [userId, seconds, id]);
  }

  /** Ends all sessions of the user; returns their ids. */
  revokeAll(userId: number, seconds: number): Promise<string[]> {
    return this.revokeWhere('true', [userId, seconds]);
  }

  /** Keeps the `limit` sessions of the user that were used last and ends the rest; returns their ids. */
  revokeBeyond(userId: number, limit: number, seconds: number): Promise<string[]> {
    const beyond = `SELECT id FROM sessions WHERE user_id = $1 AND ${LIVE} ORDER BY last_used_at DESC, id OFFSET $3`;
    return this.revokeWhere(`id IN (${beyond})`, [userId, seconds, limit]);
  }

  /** The sessions revoked by transactions from `lowWatermark` on whose access tokens may still be valid. */
  async revokedSince(lowWatermark: number): Promise<Revocations> {
    const rows = await this.polling.query<{ id: string | null; user_id: number; low_watermark: number }>(
      `SELECT s.id, s.user_id, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS low_watermark
       FROM (VALUES (1)) one LEFT JOIN sessions s ON s.revoked_xid >= $1 AND s.expires_at > now()`,
      [lowWatermark],
    );
    const sessions = rows.flatMap(({ id, user_id }) => (id === null ? [] : [{ id, userId: user_id }]));
    return { sessions, lowWatermark: rows[0]!.low_watermark };
  }

  /** Deletes up to `limit` expired rows, of any user. */
  async removeExpired(limit: number): Promise<void> {
    await this.unitOfWork.manager.query(
      `DELETE FROM sessions WHERE id IN (
         SELECT id FROM sessions WHERE expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [limit],
    );
  }

  /** Deletes the expired rows of the user. */
  async removeExpiredOf(userId: number): Promise<void> {
    await this.unitOfWork.manager.query('DELETE FROM sessions WHERE user_id = $1 AND expires_at <= now()', [userId]);
  }

  /** Of a session that has ended nothing is kept about the device. */
  private async revokeWhere(condition: string, parameters: unknown[]): Promise<string[]> {
    // Rows are locked in the order of their ids, so that two calls for one user can't deadlock.
    const [rows]: [{ id: string }[], number] = await this.unitOfWork.manager.query(
      `UPDATE sessions SET revoked_xid = pg_current_xact_id()::text::bigint, expires_at = now() + make_interval(secs => $2),
         user_agent = NULL, address = ''
       WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 AND ${condition} AND ${LIVE} ORDER BY id FOR UPDATE)
       RETURNING id`,
      parameters,
    );
    return rows.map(({ id }) => id);
  }
}
