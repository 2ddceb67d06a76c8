import { Injectable } from '@nestjs/common';
import { TokensService } from '../../auth/tokens.service.js';
import { AppError } from '../../common/errors/app-error.js';
import type { ChatSocket } from '../chat-socket.js';

/** The longest delay a timer takes, 24.8 days; a longer one goes in turns. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A socket lives no longer than its access token: it is told, may bring a new one, and is cut otherwise. */
@Injectable()
export class SocketExpiryService {
  /** How long a client has to answer `auth:expired`, in milliseconds. */
  graceMs = 30_000;

  private readonly timers = new WeakMap<ChatSocket, NodeJS.Timeout>();

  constructor(private readonly tokens: TokensService) {}

  /** Sets the clock by the socket's token. */
  watch(socket: ChatSocket): void {
    const delay = socket.data.principal.expiresAt * 1000 - Date.now();
    this.schedule(socket, delay, () => {
      socket.emit('auth:expired', {});
      this.schedule(socket, this.graceMs, () => socket.disconnect(true));
    });
  }

  /** Takes a new token of the same user. The life of it in seconds. @throws AppError `unauthorized`, `token_expired` */
  refresh(socket: ChatSocket, token: string): { expires_in: number } {
    const principal = this.tokens.verify(token);
    if (principal.userId !== socket.data.principal.userId) throw new AppError('unauthorized');
    socket.data.principal = principal;
    this.watch(socket);
    return { expires_in: Math.floor(principal.expiresAt - Date.now() / 1000) };
  }

  /** Stops the clock of a socket that is gone. */
  forget(socket: ChatSocket): void {
    clearTimeout(this.timers.get(socket));
  }

  private schedule(socket: ChatSocket, delay: number, action: () => void): void {
    this.forget(socket);
    const rest = delay - MAX_DELAY_MS;
    const next = rest > 0 ? () => this.schedule(socket, rest, action) : action;
    this.timers.set(socket, setTimeout(next, Math.min(delay, MAX_DELAY_MS)).unref());
  }
}
