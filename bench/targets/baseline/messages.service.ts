import { Injectable } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { DataSource } from 'typeorm';
import { Chat, ChatMember, Message } from './entities.js';
import type { SendMessageDto } from './send-message.dto.js';

// Stores a message in the baseline (main.ts).

export interface Sent {
  readonly message: Message;
  readonly replayed: boolean;
  readonly memberIds: readonly number[];
}

@Injectable()
export class MessagesService {
  constructor(private readonly dataSource: DataSource) {}

  /** One transaction for each message. It locks the chat first, so messages of one chat are stored in turn. */
  send(userId: number, { chat_id, text, client_message_id }: SendMessageDto): Promise<Sent> {
    return this.dataSource.transaction(async (manager) => {
      const chat = await manager.findOne(Chat, { where: { id: chat_id }, lock: { mode: 'pessimistic_write' } });
      const members = await manager.findBy(ChatMember, { chat_id });
      if (!chat || !members.some((member) => member.user_id === userId)) throw new WsException('chat_not_found');
      const memberIds = members.map((member) => member.user_id);
      const duplicate = await manager.findOneBy(Message, { chat_id, client_message_id });
      if (duplicate) return { message: duplicate, replayed: true, memberIds };
      chat.last_seq += 1;
      await manager.save(chat);
      const message = await manager.save(
        manager.create(Message, { chat_id, sender_id: userId, text, client_message_id, seq: chat.last_seq }),
      );
      return { message, replayed: false, memberIds };
    });
  }
}
