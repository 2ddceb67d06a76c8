import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { AppError } from '../common/errors/app-error.js';
import type { Principal } from '../common/principal.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { DatabaseClock } from '../database/database.clock.js';
import { CLOCK_MARGIN, RevokedSessionsRegistry } from './revoked-sessions.registry.js';

/** The claims of an access token. */
export interface TokenPayload {
  /** The user's id, as text (RFC 7519). */
  readonly sub: string;
  /** The session's id. */
  readonly sid: string;
  /** When it was issued and when it expires, in seconds since 1970 by the database's clock. */
  readonly iat: number;
  readonly exp: number;
}

/** The only algorithm that is signed with and accepted. */
export const TOKEN_ALGORITHM = 'HS256';

/**
 * Issues and checks access tokens (JWTs). A token is valid when its signature is, when it has not expired, and when its
 * session is not in `RevokedSessionsRegistry`; no check uses the database. All times are those of `DatabaseClock`, so
 * it doesn't matter what the clocks of the nodes say. `JwtAuthGuard` checks HTTP requests with `principalOf`, a socket's
 * handshake and `auth:refresh` use `verify`.
 */
@Injectable()
export class TokensService {
  constructor(
    private readonly jwt: JwtService,
    private readonly revoked: RevokedSessionsRegistry,
    private readonly clock: DatabaseClock,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
  ) {}

  /** A new access token and its life in seconds. */
  issue(userId: number, sessionId: string): { token: string; expiresIn: number } {
    const token = this.jwt.sign({ sid: sessionId, iat: this.seconds }, { subject: String(userId) });
    return { token, expiresIn: this.config.accessTokenTtlSeconds };
  }

  /**
   * The principal of a token, for sockets, which passport doesn't serve.
   * @throws AppError `unauthorized`, `token_expired`
   */
  verify(token: string): Principal {
    return this.principalOf(this.verifiedPayload(token));
  }

  /**
   * The principal of a payload whose signature is valid.
   * @throws AppError `unauthorized` for a payload of another shape or an ended session; `token_expired`
   */
  principalOf({ sub, sid, iat, exp }: TokenPayload): Principal {
    const userId = Number(sub);
    // Revoked sessions are remembered for the current ACCESS_TOKEN_TTL. A token issued under a longer one must not
    // outlive that.
    const expiresAt = Math.min(exp, iat + this.config.accessTokenTtlSeconds);
    if (!Number.isSafeInteger(userId) || typeof sid !== 'string' || Number.isNaN(expiresAt)) {
      throw new AppError('unauthorized');
    }
    if (this.revoked.has(sid)) throw new AppError('unauthorized', 'The session has ended.');
    if (expiresAt <= this.seconds || iat > this.seconds + CLOCK_MARGIN) throw new AppError('token_expired');
    return { userId, sessionId: sid, expiresAt };
  }

  /** The time of the database in whole seconds, as tokens have it. */
  private get seconds(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  private verifiedPayload(token: string): TokenPayload {
    try {
      // `principalOf` checks the expiry: jsonwebtoken would by the clock of this node.
      return this.jwt.verify<TokenPayload>(token, { ignoreExpiration: true });
    } catch {
      throw new AppError('unauthorized');
    }
  }
}
