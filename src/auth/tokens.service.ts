import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { AppError } from '../common/errors/app-error.js';
import type { Principal } from '../common/principal.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { RevokedSessionsRegistry } from './revoked-sessions.registry.js';

/** What stands in an access token. */
export interface TokenPayload {
  /** The user's id, as text (RFC 7519). */
  readonly sub: string;
  /** The session's id. */
  readonly sid: string;
  readonly iat: number;
  readonly exp: number;
}

export const TOKEN_ALGORITHM = 'HS256';

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

  /** Whom a token speaks for, where passport can't be asked: at a socket's handshake. @throws AppError `unauthorized`, `token_expired` */
  verify(token: string): Principal {
    return this.principalOf(this.verifiedPayload(token));
  }

  /** @throws AppError `unauthorized` for a payload that isn't one of ours, or whose session has ended; `token_expired` */
  principalOf({ sub, sid, iat, exp }: TokenPayload): Principal {
    const userId = Number(sub);
    // A token from when ACCESS_TOKEN_TTL was longer must not outlive the memory of its session's end.
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

/** What a client is told of a token that didn't pass. */
export function tokenError(reason: unknown): AppError {
  const expired = reason instanceof Error && reason.name === 'TokenExpiredError';
  return new AppError(expired ? 'token_expired' : 'unauthorized');
}
