import { Injectable } from '@nestjs/common';
import { ChatJoined, ChatLeft, ChatUpdated, MemberChanged } from '../chats/chat.events.js';
import { DomainEvents } from '../common/domain-events.js';
import { MessageChanged, MessageCreated, MessagesRead } from '../messages/message.events.js';
import { type ChatServer, userRoom } from './chat-socket.js';

/** Says to the devices what was committed, whichever way it came in. Emits at once, so a chat's events keep their order. */
@Injectable()
export class RealtimePublisher {
  private server: ChatServer;

  constructor(private readonly events: DomainEvents) {}

  /** Starts publishing to the sockets of this server. */
  attach(server: ChatServer): void {
    this.server = server;
    const { events } = this;
    events.on(MessageCreated, ({ message, userIds }) => this.to(userIds).emit('message:created', message));
    events.on(MessageChanged, ({ change, message, userIds }) => this.to(userIds).emit(`message:${change}`, message));
    events.on(MessagesRead, ({ receipt, userIds }) => this.to(userIds).emit('read_receipt', receipt));
    events.on(ChatJoined, ({ views }) =>
      views.forEach(({ userId, chat }) => this.to([userId]).emit('chat:created', chat)),
    );
    events.on(ChatUpdated, ({ chat, userIds }) => this.to(userIds).emit('chat:updated', chat));
    events.on(ChatLeft, ({ chatId, userIds }) => this.to(userIds).emit('chat:removed', { chat_id: chatId }));
    events.on(MemberChanged, ({ change, chatId, member, userIds }) =>
      this.to(userIds).emit(`member:${change}`, { chat_id: chatId, member }),
    );
  }

  /** All devices of these users. */
  to(userIds: readonly number[]): ReturnType<ChatServer['to']> {
    return this.server.to(userIds.map(userRoom));
  }
}
