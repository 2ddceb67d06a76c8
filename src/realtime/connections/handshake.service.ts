import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { ExtendedError } from 'socket.io';
import { RevokedSessionsRegistry } from '../../auth/revoked-sessions.registry.js';
import { TokensService } from '../../auth/tokens.service.js';
import { AppError } from '../../common/errors/app-error.js';
import { toAppError } from '../../common/errors/to-app-error.js';
import { type ChatSocket, sessionRoom, userRoom } from '../chat-socket.js';
import { InjectRealtimeOptions, type RealtimeOptions } from '../realtime.options.js';
import { SocketServer } from '../socket.server.js';
import { ConnectionBoundsService } from './connection-bounds.service.js';
import { toCommandError } from '../commands/socket-error.filter.js';

/** The most sockets that one user may have on this node, and how many of them may be of one session. */
export const MAX_SOCKETS = 50;
export const MAX_SESSION_SOCKETS = 25;

/**
 * Authenticates a socket before it joins the namespace, and joins it to the room of its user. `AdmissionService` has
 * accepted the connection before. It is a Socket.IO middleware because guards don't run on connect (nestjs/nest#882).
 *
 * Afterwards `socket.data.principal` is set, and no event of a refused socket is ever handled.
 */
@Injectable()
export class HandshakeService implements OnModuleInit {
  private readonly logger = new Logger(HandshakeService.name);

  constructor(
    private readonly sockets: SocketServer,
    private readonly tokens: TokensService,
    private readonly bounds: ConnectionBoundsService,
    private readonly revoked: RevokedSessionsRegistry,
    @InjectRealtimeOptions() private readonly options: RealtimeOptions,
  ) {}

  onModuleInit(): void {
    this.sockets.io.use((socket, next) => void this.authenticate(socket, next));
  }

  /** Refused clients get `connect_error` with `err.data`, a `CommandError`. */
  private readonly authenticate = async (socket: ChatSocket, next: (error?: ExtendedError) => void): Promise<void> => {
    // While the database can't be asked, a socket is accepted all the same, as a refused one doesn't come back by itself.
    // Its commands are refused, and it is cut as soon as its session is known to have ended.
    await this.revoked.ensureFresh()?.catch(() => undefined);
    try {
      socket.data.principal = this.tokens.verify(tokenOf(socket));
      assertOwnUserId(socket);
      this.joinUser(socket);
      next();
    } catch (exception) {
      const error = toAppError(exception);
      const address = this.bounds.addressOf(socket);
      this.logger.warn({ event: 'socket.refused', socket_id: socket.id, code: error.code, address });
      next(Object.assign(new Error(error.message), { data: toCommandError(error) }));
      this.bounds.refused(socket);
    }
  };

  /**
   * Counts and joins without an `await` in between, so concurrent handshakes can't pass the limit.
   * @throws AppError `rate_limited`
   */
  private joinUser(socket: ChatSocket): void {
    const { userId, sessionId } = socket.data.principal;
    const [user, session] = [userRoom(userId), sessionRoom(sessionId)];
    this.requireRoom(socket, user, MAX_SOCKETS, 'A user');
    this.requireRoom(socket, session, MAX_SESSION_SOCKETS, 'A session');
    void socket.join([user, session]);
  }

  private requireRoom({ nsp }: ChatSocket, room: string, most: number, owner: string): void {
    if ((nsp.adapter.rooms.get(room)?.size ?? 0) < most) return;
    // After this time, a socket whose client is gone without a close has missed its heartbeat, and counts no more.
    const heartbeatMs = this.options.pingIntervalMs + this.options.pingTimeoutMs;
    throw AppError.rateLimited(heartbeatMs, `${owner} may have ${most} sockets; close one.`);
  }
}

/** Older clients send `user_id` in the query. It must be the token's user. @throws AppError `unauthorized` */
function assertOwnUserId({ handshake, data }: ChatSocket): void {
  const { user_id } = handshake.query;
  if (user_id !== undefined && user_id !== String(data.principal.userId)) throw new AppError('unauthorized');
}

/**
 * The token of `auth: { token }`, or else of the header `Authorization`.
 * @throws AppError `unauthorized` when there is none
 */
function tokenOf({ handshake }: ChatSocket): string {
  const fromAuth: unknown = (handshake.auth as { token?: unknown }).token;
  const token = fromAuth ?? /^Bearer (.+)$/i.exec(handshake.headers.authorization ?? '')?.[1];
  if (typeof token !== 'string') throw new AppError('unauthorized');
  return token;
}
