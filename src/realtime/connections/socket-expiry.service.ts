import { Injectable, type OnModuleInit } from '@nestjs/common';
import { TokensService } from '../../auth/tokens.service.js';
import { DomainEventBus } from '../../common/domain-event.bus.js';
import { AppError } from '../../common/errors/app-error.js';
import { SocketConnected, SocketDisconnected } from '../../common/socket.events.js';
import { DatabaseClock } from '../../database/database.clock.js';
import type { ChatSocket } from '../chat-socket.js';
import { InjectRealtimeOptions, type RealtimeOptions } from '../realtime.options.js';
import { SocketServer } from '../socket.server.js';

/** The longest delay of `setTimeout`, 24.8 days. A longer delay takes several timers, one after the other. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Ends sockets whose access token has expired. At the expiry a socket gets `auth:expired`; `expiryGraceMs` later it is
 * disconnected, unless `auth:refresh` has brought a new token. The gateway calls `refresh`.
 *
 * Each connected socket has exactly one timer.
 */
@Injectable()
export class SocketExpiryService implements OnModuleInit {
  /** The timer of each connected socket, by the socket's id. */
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly sockets: SocketServer,
    private readonly tokens: TokensService,
    private readonly events: DomainEventBus,
    private readonly clock: DatabaseClock,
    @InjectRealtimeOptions() private readonly options: RealtimeOptions,
  ) {}

  onModuleInit(): void {
    this.events.on(SocketConnected, ({ socketId }) => this.watch(this.sockets.io.sockets.sockets.get(socketId)!));
    this.events.on(SocketDisconnected, ({ socketId }) => this.forget(socketId));
  }

  /**
   * Replaces the token by a new one of the same user. Returns its lifetime in seconds.
   * @throws AppError `unauthorized`, `token_expired`
   */
  refresh(socket: ChatSocket, token: string): { expires_in: number } {
    const principal = this.tokens.verify(token);
    if (principal.userId !== socket.data.principal.userId) throw new AppError('unauthorized');
    Object.assign(socket.data, { principal, isExpired: false });
    // The socket may have disconnected while the command was queued; then it must get no timer.
    if (socket.connected) this.watch(socket);
    return { expires_in: Math.floor(principal.expiresAt - this.clock.now() / 1000) };
  }

  /** Sets the socket's timer to the expiry of its token. */
  private watch(socket: ChatSocket): void {
    // A timer counts whole milliseconds and may fire one early; the token must have expired then.
    const delay = Math.ceil(socket.data.principal.expiresAt * 1000 - this.clock.now()) + 1;
    this.schedule(socket.id, delay, () => {
      socket.data.isExpired = true;
      socket.emit('auth:expired', {});
      this.schedule(socket.id, this.options.expiryGraceMs, () => socket.disconnect(true));
    });
  }

  private forget(socketId: string): void {
    clearTimeout(this.timers.get(socketId));
    this.timers.delete(socketId);
  }

  /** Replaces the socket's timer. */
  private schedule(socketId: string, delay: number, action: () => void): void {
    clearTimeout(this.timers.get(socketId));
    const rest = delay - MAX_DELAY_MS;
    const next = rest > 0 ? () => this.schedule(socketId, rest, action) : action;
    this.timers.set(socketId, setTimeout(next, Math.min(delay, MAX_DELAY_MS)).unref());
  }
}
