import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { AppError } from '../common/app-error.js';
import type { Principal } from '../common/principal.js';
import { type AppConfig, appConfig } from '../config/app.config.js';

/** What stands in an access token. */
export interface TokenPayload {
  /** The user's id, as text (RFC 7519). */
  readonly sub: string;
  /** The session's id. */
  readonly sid: string;
  readonly exp: number;
}

export const TOKEN_ALGORITHM = 'HS256';

@Injectable()
export class TokensService {
  constructor(
    private readonly jwt: JwtService,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
  ) {}

  /** A new access token and its life in seconds. */
  issue(userId: number, sessionId: string): { token: string; expiresIn: number } {
    const token = this.jwt.sign({ sid: sessionId }, { subject: String(userId) });
    return { token, expiresIn: this.config.accessTokenTtlSeconds };
  }

  /** Whom a token speaks for, where passport can't be asked: at a socket's handshake. @throws AppError `unauthorized`, `token_expired` */
  verify(token: string): Principal {
    try {
      return principalOf(this.jwt.verify<TokenPayload>(token));
    } catch (error) {
      throw tokenError(error);
    }
  }
}

/** @throws AppError `unauthorized` for a payload that isn't one of ours */
export function principalOf({ sub, sid, exp }: TokenPayload): Principal {
  const userId = Number(sub);
  if (!Number.isSafeInteger(userId) || typeof sid !== 'string') throw new AppError('unauthorized');
  return { userId, sessionId: sid, expiresAt: exp };
}

/** What a client is told of a token that didn't pass. */
export function tokenError(reason: unknown): AppError {
  const expired = reason instanceof Error && reason.name === 'TokenExpiredError';
  return new AppError(expired ? 'token_expired' : 'unauthorized');
}
