import { Injectable, Logger } from '@nestjs/common';
import type { ExtendedError } from 'socket.io';
import { TokensService } from '../auth/tokens.service.js';
import { AppError } from '../common/app-error.js';
import { toAppError } from '../common/to-app-error.js';
import type { ChatSocket } from './chat-socket.js';

/** Lets a socket in, or refuses it before any of its events is heard (guards don't run on connect: nestjs/nest#882). */
@Injectable()
export class HandshakeService {
  private readonly logger = new Logger(HandshakeService.name);

  constructor(private readonly tokens: TokensService) {}

  /** A Socket.IO middleware. Refused clients get `connect_error` with `err.data = {code, message}`. */
  readonly authenticate = (socket: ChatSocket, next: (error?: ExtendedError) => void): void => {
    try {
      socket.data.principal = this.tokens.verify(tokenOf(socket));
      assertOwnUserId(socket);
      next();
    } catch (error) {
      const { code, message } = toAppError(error);
      this.logger.warn({ event: 'socket.refused', socket_id: socket.id, code });
      next(Object.assign(new Error(message), { data: { code, message } }));
    }
  };
}

/** Older clients name their user in the query: only the token's own may be named. @throws AppError `unauthorized` */
function assertOwnUserId({ handshake, data }: ChatSocket): void {
  const { user_id } = handshake.query;
  if (user_id !== undefined && user_id !== String(data.principal.userId)) throw new AppError('unauthorized');
}

/** From `auth: {token}`, or else from the header. @throws AppError `unauthorized` */
function tokenOf({ handshake }: ChatSocket): string {
  const fromAuth: unknown = (handshake.auth as { token?: unknown }).token;
  const token = fromAuth ?? /^Bearer (.+)$/i.exec(handshake.headers.authorization ?? '')?.[1];
  if (typeof token !== 'string') throw new AppError('unauthorized');
  return token;
}
