import { Injectable } from '@nestjs/common';
import type { MessageDto } from '../chats/dto/message.dto.js';
import type { Read } from '../messages/message.events.js';
import { type ChatServer, userRoom } from './chat-socket.js';
import { SocketServer } from './socket.server.js';

/** Publishes to the devices that are connected to this node, at once. */
@Injectable()
export class RealtimePublisher {
  constructor(private readonly sockets: SocketServer) {}

  /** Whether the user has a device on this node. */
  isConnected(userId: number): boolean {
    return this.sockets.io.sockets.adapter.rooms.has(userRoom(userId));
  }

  /** All devices of these users on this node; null when there are none. */
  to(userIds: readonly number[]): ReturnType<ChatServer['to']> | null {
    const { io } = this.sockets;
    const { rooms } = io.sockets.adapter;
    const connected = userIds.map(userRoom).filter((room) => rooms.has(room));
    // Socket.IO takes an empty list of rooms for "all sockets".
    return connected.length > 0 ? io.to(connected) : null;
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
