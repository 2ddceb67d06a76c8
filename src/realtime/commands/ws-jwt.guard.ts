import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RevokedSessionsRegistry } from '../../auth/revoked-sessions.registry.js';
import { AppError } from '../../common/errors/app-error.js';
import { DatabaseClock } from '../../database/database.clock.js';
import type { ChatSocket } from '../chat-socket.js';

const EXPIRED_TOKEN_ALLOWED = 'expiredTokenAllowed';

/** Marks a command that an expired token may use: `auth:refresh`, which brings the new token. */
export const ExpiredTokenAllowed = (): MethodDecorator => SetMetadata(EXPIRED_TOKEN_ALLOWED, true);

/**
 * Checks at every command of the gateway that the token has not expired and that the session has not ended. The
 * handshake has verified the token, so its signature is not checked again.
 */
@Injectable()
export class WsJwtGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly revoked: RevokedSessionsRegistry,
    private readonly clock: DatabaseClock,
  ) {}

  /** @throws AppError `unauthorized` when the session has ended, `token_expired`, `unavailable` */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const reading = this.revoked.ensureFresh();
    return reading ? reading.then(() => this.check(context)) : this.check(context);
  }

  private check(context: ExecutionContext): boolean {
    const { principal, isExpired } = context.switchToWs().getClient<ChatSocket>().data as Partial<ChatSocket['data']>;
    // Commands of a socket that was cut may still be in the queue of its dispatcher.
    if (!principal || this.revoked.has(principal.sessionId)) throw new AppError('unauthorized');
    // The clock may step back after the expiry was announced.
    const expired = isExpired === true || principal.expiresAt * 1000 <= this.clock.now();
    if (expired && !this.reflector.get<boolean>(EXPIRED_TOKEN_ALLOWED, context.getHandler())) {
      throw new AppError('token_expired');
    }
    return true;
  }
}
