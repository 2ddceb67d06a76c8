import { Inject, Injectable } from '@nestjs/common';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { AppError } from '../common/errors/app-error.js';
import { networkOf } from '../common/http/client-address.js';
import type { Principal } from '../common/principal.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { DatabaseClock } from '../database/database.clock.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Budget } from '../limits/budgets.js';
import { RateLimiterFactory, consume } from '../limits/rate-limiter.factory.js';
import type { Client } from './client.js';
import { type RefreshDto, SessionDto } from './dto/session.dto.js';
import type { TokensDto } from './dto/auth.dto.js';
import { RefreshToken } from './refresh-token.js';
import { retentionSeconds } from './revoked-sessions.registry.js';
import type { Session } from './session.entity.js';
import { type EndReason, SessionsRevoked } from './session.events.js';
import { type RotationState, SessionsRepository } from './sessions.repository.js';
import { TokensService } from './tokens.service.js';

/** Sessions that a user can have; one more login ends the one whose last use is the longest ago. */
const MAX_SESSIONS = 100;

/** Expired rows that each login deletes: more than the one it adds, so they can't pile up. */
const CLEANED_PER_LOGIN = 10;

/** How often one session can be refreshed. Only somebody who has one of its refresh tokens can use this up. */
const REFRESHES: Budget = { limit: 30, seconds: 60 };

/**
 * How long after a rotation the previous token works without the `client_refresh_id` of that refresh, in milliseconds:
 * for a lost answer to a client that sends none, and for two tabs that refresh at once.
 */
const GRACE_MS = 60_000;

/** A refresh token, and the `client_refresh_id` that came with it. */
interface Presented {
  readonly token: RefreshToken;
  readonly refreshId: string | undefined;
}

/** A new session, and what its device gets. */
export interface OpenedSession {
  readonly sessionId: string;
  readonly tokens: TokensDto;
}

/**
 * The life of a session: opened by a login (`AuthService`), rotated by each refresh, ended by a logout, a removal, a
 * password change, one login too many, a reused token or the closing of the account.
 *
 * Rotation, under the lock of the session's row; the token presented is
 * - the current one: a new key computes the next token from it; that becomes the current one, this one the previous;
 * - the previous one, with the `client_refresh_id` that it was replaced with, or within a minute: its successor has not
 *   been used yet, so the same key computes the same token again (a retry);
 * - any other one: its successor has been used, or has been there for a minute. It was copied, and the session ends.
 *
 * Every end publishes `SessionsRevoked` after the commit.
 */
@Injectable()
export class SessionsService {
  private readonly retentionSeconds: number;
  private readonly refreshes: RateLimiterAbstract;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionsRepository,
    private readonly tokens: TokensService,
    private readonly clock: DatabaseClock,
    limiters: RateLimiterFactory,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
  ) {
    this.retentionSeconds = retentionSeconds(config);
    this.refreshes = limiters.create('refresh', REFRESHES);
  }

  /** Opens a session for a user whose password was checked. */
  open(userId: number, client: Client): Promise<OpenedSession> {
    const token = RefreshToken.create();
    const { sessionId } = token;
    return this.unitOfWork.run(async () => {
      await this.sessions.create(sessionId, userId, token.hash, client, this.config.refreshTokenTtlSeconds);
      this.announce(userId, 'too_many', await this.sessions.revokeBeyond(userId, MAX_SESSIONS, this.retentionSeconds));
      await this.sessions.removeExpired(CLEANED_PER_LOGIN);
      return { sessionId, tokens: this.grant(userId, token) };
    });
  }

  /**
   * New tokens for a refresh token. The previous one gets the same refresh token again until that is used, and an access
   * token for the time from now on: with the same `client_refresh_id` however late, else for a minute. Later, and if it
   * is an older one, it was copied, and ends the session.
   * @throws AppError `unauthorized`, `rate_limited`
   */
  async refresh({ refresh_token, client_refresh_id: refreshId }: RefreshDto, client: Client): Promise<TokensDto> {
    const token = RefreshToken.parse(refresh_token);
    if (token && this.config.rateLimit) await consume(this.refreshes, token.sessionId);
    const granted = token && (await this.unitOfWork.run(() => this.rotate({ token, refreshId }, client)));
    if (!granted) throw new AppError('unauthorized', 'The refresh token is not valid.');
    return granted;
  }

  /** Whether the user has a live session that was last used from this address (IPv6: from its /64). */
  async isUsedFrom(userId: number, address: string): Promise<boolean> {
    const from = networkOf(address);
    return (await this.sessions.list(userId)).some((session) => networkOf(session.address) === from);
  }

  /** The user's live sessions, latest use first. */
  async list({ userId, sessionId }: Principal): Promise<SessionDto[]> {
    return (await this.sessions.list(userId)).map((session) => SessionDto.of(session, sessionId));
  }

  /** Ends the caller's own session; does nothing when it has already ended. */
  async logout({ userId, sessionId }: Principal): Promise<void> {
    await this.unitOfWork.run(() => this.end(userId, sessionId, 'logout'));
  }

  /** Ends a session of the user. @throws AppError `not_found` */
  async remove(userId: number, sessionId: string): Promise<void> {
    const found = await this.unitOfWork.run(() => this.end(userId, sessionId, 'removed'));
    if (!found) throw new AppError('not_found', 'There is no such session.');
  }

  /** Ends all sessions of the user except the caller's own. */
  endOthers({ userId, sessionId }: Principal, reason: EndReason = 'removed'): Promise<void> {
    return this.unitOfWork.run(async () => {
      this.announce(userId, reason, await this.sessions.revokeOthers(userId, sessionId, this.retentionSeconds));
    });
  }

  /** Ends all sessions of a user whose account is being closed, and removes what is kept of those that expired. */
  endAll(userId: number): Promise<void> {
    return this.unitOfWork.run(async () => {
      await this.sessions.removeExpiredOf(userId);
      this.announce(userId, 'closed', await this.sessions.revokeAll(userId, this.retentionSeconds));
    });
  }

  /** Undefined when the token is not valid: its session has ended, or ends here because an old token was used. */
  private async rotate(presented: Presented, client: Client): Promise<TokensDto | undefined> {
    const session = await this.sessions.lockLive(presented.token.sessionId);
    if (!session) return undefined;
    const { id, userId } = session;
    const rotated = rotation(session, presented, this.clock.now());
    if (!rotated) {
      await this.end(userId, id, 'token_reused');
      return undefined;
    }
    await this.sessions.refresh(id, rotated.changes, client, this.config.refreshTokenTtlSeconds);
    // Signed while the row is locked, so that no access token is issued after its session has ended.
    return this.grant(userId, rotated.successor);
  }

  private grant(userId: number, refreshToken: RefreshToken): TokensDto {
    const { token, expiresIn } = this.tokens.issue(userId, refreshToken.sessionId);
    return {
      access_token: token,
      token_type: 'bearer',
      expires_in: expiresIn,
      refresh_token: refreshToken.toString(),
    };
  }

  /** Returns whether the user had this live session. */
  private async end(userId: number, sessionId: string, reason: EndReason): Promise<boolean> {
    const ids = await this.sessions.revoke(userId, sessionId, this.retentionSeconds);
    this.announce(userId, reason, ids);
    return ids.length > 0;
  }

  private announce(userId: number, reason: EndReason, ids: readonly string[]): void {
    const sessions = ids.map((id) => ({ id, userId }));
    this.unitOfWork.publish(new SessionsRevoked(sessions, reason));
  }
}

/** The next token, and what changes in the session; undefined for a token that is not valid any more. */
function rotation(
  session: Session,
  { token, refreshId }: Presented,
  now: number,
): { successor: RefreshToken; changes: Partial<RotationState> } | undefined {
  const { hash } = token;
  const retryHash = refreshId === undefined ? null : token.hashWith(refreshId);
  if (hash.equals(session.currentHash)) {
    const rotationKey = RefreshToken.newKey();
    const successor = token.successor(rotationKey);
    const replaced = { previousHash: hash, retryHash, rotatedAt: new Date(now), rotationKey };
    return { successor, changes: { currentHash: successor.hash, ...replaced } };
  }
  const { previousHash, rotatedAt, rotationKey } = session;
  if (!rotationKey || !rotatedAt || !previousHash?.equals(hash)) return undefined;
  const isSameRefresh = retryHash !== null && session.retryHash?.equals(retryHash);
  const isInGrace = now - rotatedAt.getTime() < GRACE_MS;
  return isSameRefresh || isInGrace ? { successor: token.successor(rotationKey), changes: {} } : undefined;
}
