import { Injectable } from '@nestjs/common';
import type { MessageDto } from '../chats/dto/message.dto.js';
import type { Read } from '../messages/message.events.js';
import { type ChatServer, userRoom } from './chat-socket.js';
import { SocketServer } from './socket.server.js';

/**
 * Emits events to the devices that are connected to this node. It decides nothing: its callers in `delivery/` and
 * `TypingService` say what goes to whom, and in which order.
 */
@Injectable()
export class RealtimePublisher {
  constructor(private readonly sockets: SocketServer) {}

  /** Whether the user has a device on this node. */
  isConnected(userId: number): boolean {
    return this.sockets.io.sockets.adapter.rooms.has(userRoom(userId));
  }

  /** Emits to all devices of these users on this node; null when none of them is connected. */
  to(userIds: readonly number[]): ReturnType<ChatServer['to']> | null {
    const { io } = this.sockets;
    const { rooms } = io.sockets.adapter;
    const connected = userIds.map(userRoom).filter((room) => rooms.has(room));
    // Socket.IO takes an empty list of rooms for "all sockets", so it must not get one.
    return connected.length > 0 ? io.to(connected) : null;
  }

  /** Publishes new messages of a chat, in `seq` order, and then the receipts of what their senders read by sending. */
  publishMessages(messages: readonly MessageDto[], reads: readonly Read[], userIds: readonly number[]): void {
    const devices = this.to(userIds);
    for (const message of messages) devices?.emit('message:created', message);
    for (const read of reads) this.publishRead(read);
  }

  /** Publishes a receipt to the reader and to the authors of the messages that it newly reads. */
  publishRead({ receipt, userIds }: Read): void {
    this.to(userIds)?.emit('read_receipt', receipt);
  }
}
