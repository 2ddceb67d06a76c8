import { Injectable } from '@nestjs/common';
import type { MessageDto } from '../chats/dto/message.dto.js';
import type { Read } from '../messages/message.events.js';
import { type ChatServer, userRoom } from './chat-socket.js';

/** Says things to the devices that are connected to this node, at once. */
@Injectable()
export class RealtimePublisher {
  private server: ChatServer;

  /** Starts publishing to the sockets of this server. */
  attach(server: ChatServer): void {
    this.server = server;
  }

  /** Whether the user has a device on this node. */
  isConnected(userId: number): boolean {
    return this.server.sockets.adapter.rooms.has(userRoom(userId));
  }

  /** All devices of these users on this node; null when there are none. */
  to(userIds: readonly number[]): ReturnType<ChatServer['to']> | null {
    const { rooms } = this.server.sockets.adapter;
    const here = userIds.map(userRoom).filter((room) => rooms.has(room));
    // Nobody's room would be everybody: Socket.IO takes an empty list of rooms for "all sockets".
    return here.length > 0 ? this.server.to(here) : null;
  }

  /** New messages of a chat, in their order, and then what was read by sending them. */
  publishMessages(messages: readonly MessageDto[], reads: readonly Read[], userIds: readonly number[]): void {
    const devices = this.to(userIds);
    for (const message of messages) devices?.emit('message:created', message);
    for (const read of reads) this.publishRead(read);
  }

  publishRead({ receipt, userIds }: Read): void {
    this.to(userIds)?.emit('read_receipt', receipt);
  }
}
