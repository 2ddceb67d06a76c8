import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RevokedSessionsRegistry } from '../../auth/revoked-sessions.registry.js';
import { AppError } from '../../common/errors/app-error.js';
import type { ChatSocket } from '../chat-socket.js';

const EXPIRED_TOKEN_ALLOWED = 'expiredTokenAllowed';

/** Marks the command that brings a new token: the old one may have run out. */
export const ExpiredTokenAllowed = (): MethodDecorator => SetMetadata(EXPIRED_TOKEN_ALLOWED, true);

/** Guards every command of the gateway: the handshake has proved who is there; token and session must still be good. */
@Injectable()
export class WsJwtGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly revoked: RevokedSessionsRegistry,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const { principal } = context.switchToWs().getClient<ChatSocket>().data as Partial<ChatSocket['data']>;
    // A socket that was cut may have left commands waiting.
    if (!principal || this.revoked.has(principal.sessionId)) throw new AppError('unauthorized');
    const expired = principal.expiresAt * 1000 <= Date.now();
    if (expired && !this.reflector.get<boolean>(EXPIRED_TOKEN_ALLOWED, context.getHandler())) {
      throw new AppError('token_expired');
    }
    return true;
  }
}
