import { Injectable } from '@nestjs/common';
import { ChatsService } from '../chats/chats.service.js';
import { MessageDto, type MessageRow } from '../chats/dto/message.dto.js';
import { AppError } from '../common/errors/app-error.js';
import { type MarkedMessageRow, MessagesRepository } from './messages.repository.js';

/**
 * The access check of messages: the other services of this folder get a message by its id here, and only its chat's
 * members do. It also turns a row into what clients see.
 */
@Injectable()
export class MessageAccessService {
  constructor(
    private readonly messages: MessagesRepository,
    private readonly chats: ChatsService,
  ) {}

  /**
   * The message with the read mark of its chat, if the user is in it.
   * @throws AppError `message_not_found` when it is absent or in another chat
   */
  async requireVisible(userId: number, id: number): Promise<MarkedMessageRow> {
    const row = await this.messages.findVisible(id, userId);
    if (!row) throw new AppError('message_not_found');
    return row;
  }

  /** The message as clients see it, with its current `is_read`. */
  async present(row: MessageRow): Promise<MessageDto> {
    return MessageDto.of(row, await this.chats.readByAllSeq(row.chat_id));
  }
}
