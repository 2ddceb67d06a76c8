import { Injectable } from '@nestjs/common';
import { type ChatServer, type ChatSocket, userRoom } from './chat-socket.js';

/**
 * Holds the Socket.IO server of this process, for injection. `SocketAdapter` makes the server while Nest sets up the
 * gateway: after all constructors, and before the first `onModuleInit`. So constructors must not use it.
 */
@Injectable()
export class SocketServer {
  private server: ChatServer | undefined;

  /** `SocketAdapter` calls it once. */
  hold(server: ChatServer): void {
    this.server = server;
  }

  /** Whether there is a server: not in a process whose start failed before the gateway was set up. */
  get isMade(): boolean {
    return this.server !== undefined;
  }

  /** @throws Error when a constructor calls it: the server isn't made yet */
  get io(): ChatServer {
    if (!this.server) throw new Error('the socket server is made after the constructors');
    return this.server;
  }

  /** The user's sockets on this node. */
  socketsOf(userId: number): ChatSocket[] {
    const { sockets, adapter } = this.io.sockets;
    return [...(adapter.rooms.get(userRoom(userId)) ?? [])].map((id) => sockets.get(id)!);
  }
}
