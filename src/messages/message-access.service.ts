import { Injectable } from '@nestjs/common';
import { ChatsService } from '../chats/chats.service.js';
import { MessageDto, type MessageRow } from '../chats/dto/message.dto.js';
import { AppError } from '../common/errors/app-error.js';
import { MessagesRepository } from './messages.repository.js';

/** The one way from a message's id to the message, and from its row to what a client sees. */
@Injectable()
export class MessageAccessService {
  constructor(
    private readonly messages: MessagesRepository,
    private readonly chats: ChatsService,
  ) {}

  /** @throws AppError `message_not_found` when it is absent or in a chat the user isn't in */
  async requireVisible(userId: number, id: number): Promise<MessageRow> {
    const row = await this.messages.findVisible(id, userId);
    if (!row) throw new AppError('message_not_found');
    return row;
  }

  /** The message with its `is_read` as it is now. */
  async present(row: MessageRow): Promise<MessageDto> {
    return MessageDto.of(row, await this.chats.readByAllSeq(row.chat_id));
  }
}
