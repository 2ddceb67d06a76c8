import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { Principal } from '../common/principal.js';
import type { ClientToServerEvents, ServerToClientEvents } from '../contract/events.js';

interface SocketData {
  /** Set by the handshake from a verified token, and by nothing else but `auth:refresh`. */
  principal: Principal;
  /** Its commands, from just after the handshake on. `finish` takes no more, and resolves when those that had come are acked. */
  commands?: { finish(): Promise<void> };
}

export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;

/** The room of all devices of a user. */
export const userRoom = (userId: number): string => `user:${userId}`;

/** The id of the user at the other end of the socket, in a gateway's handler. */
export const SocketUserId = createParamDecorator(
  (_: unknown, context: ExecutionContext): number => context.switchToWs().getClient<ChatSocket>().data.principal.userId,
);
