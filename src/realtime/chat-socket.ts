import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { Principal } from '../common/principal.js';
import type { ClientToServerEvents, ServerToClientEvents } from '../contract/events.js';

/** What the server keeps with each socket, in `socket.data`. */
interface SocketData {
  /** Who the socket belongs to, from a verified token. Only the handshake and `auth:refresh` set it. */
  principal: Principal;
  /** Whether `auth:expired` was sent, and no new token has come since. `SocketExpiryService` sets it. */
  isExpired?: boolean;
  /**
   * The socket's `CommandDispatcher`; `SocketAdapter` sets it just after the handshake. `finish` refuses new commands,
   * and resolves when the accepted ones are acked.
   */
  commands?: { finish(): Promise<void> };
}

/** Socket.IO's server and socket, with the events of `src/contract/events.ts`. */
export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;

/** The room of all devices of a user. `HandshakeService` joins it; `RealtimePublisher` emits to it. */
export const userRoom = (userId: number): string => `user:${userId}`;

/** The room of the sockets of a session. `HandshakeService` joins it, to count them. */
export const sessionRoom = (sessionId: string): string => `session:${sessionId}`;

/** A parameter of a gateway's handler: the id of the socket's user. */
export const SocketUserId = createParamDecorator(
  (_: unknown, context: ExecutionContext): number => context.switchToWs().getClient<ChatSocket>().data.principal.userId,
);
