import { Injectable } from '@nestjs/common';
import { type ChatServer, type ChatSocket, userRoom } from './chat-socket.js';

/**
 * Holds the Socket.IO server of this process for everybody who needs it. `SocketAdapter` makes the server while Nest
 * sets up the gateway: after the constructors, and before the first `onModuleInit`.
 */
@Injectable()
export class SocketServer {
  private server: ChatServer | undefined;

  hold(server: ChatServer): void {
    this.server = server;
  }

  /** False in a process whose start failed before the gateway was set up. */
  get isMade(): boolean {
    return this.server !== undefined;
  }

  /** @throws Error in a constructor: it is too early there */
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
