import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { AppError } from '../common/errors/app-error.js';
import type { Principal } from '../common/principal.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { RevokedSessionsRegistry } from './revoked-sessions.registry.js';

/** The claims of an access token. */
export interface TokenPayload {
  /** The user's id, as text (RFC 7519). */
  readonly sub: string;
  /** The session's id. */
  readonly sid: string;
  /** When it was issued and when it expires, in seconds since 1970. */
  readonly iat: number;
  readonly exp: number;
}

/** The only algorithm that is signed with and accepted. */
export const TOKEN_ALGORITHM = 'HS256';

/**
 * Issues and checks access tokens (JWTs). A token is valid when its signature is, when it has not expired, and when its
 * session is not in `RevokedSessionsRegistry`; no check uses the database. `JwtAuthGuard` checks HTTP requests with
 * `principalOf`, a socket's handshake and `auth:refresh` use `verify`.
 */
@Injectable()
export class TokensService {
  constructor(
    private readonly jwt: JwtService,
    private readonly revoked: RevokedSessionsRegistry,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
  ) {}

  /** A new access token and its life in seconds. */
  issue(userId: number, sessionId: string): { token: string; expiresIn: number } {
    const token = this.jwt.sign({ sid: sessionId }, { subject: String(userId) });
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
    if (expiresAt * 1000 <= Date.now()) throw new AppError('token_expired');
    return { userId, sessionId: sid, expiresAt };
  }

  private verifiedPayload(token: string): TokenPayload {
    try {
      return this.jwt.verify<TokenPayload>(token);
    } catch (error) {
      throw tokenError(error);
    }
  }
}

/** The error that a client gets for a token that jsonwebtoken or passport refused. */
export function tokenError(reason: unknown): AppError {
  const expired = reason instanceof Error && reason.name === 'TokenExpiredError';
  return new AppError(expired ? 'token_expired' : 'unauthorized');
}
