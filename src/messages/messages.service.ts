import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { MessageDto } from '../chats/dto/message.dto.js';
import { AppError } from '../common/errors/app-error.js';
import type { HistoryQuery, SendMessageDto } from './dto/message-input.dto.js';
import type { ReaderDto } from './dto/receipt.dto.js';
import { historyRange } from './history-range.js';
import { MessageAccessService } from './message-access.service.js';
import { LogWriter } from './log.writer.js';
import { MessagesRepository } from './messages.repository.js';

/**
 * Sends messages and reads them back, for `MessagesController` and `RealtimeGateway`. The other services of messages
 * are `MessageEditsService`, `ReceiptsService` and `SyncService`.
 */
@Injectable()
export class MessagesService {
  private readonly logger = new Logger(MessagesService.name);

  constructor(
    private readonly messages: MessagesRepository,
    private readonly log: LogWriter,
    private readonly access: MessageAccessService,
  ) {}

  /**
   * Appends a message, or returns the message that was stored before with the same key. A missing key is generated.
   * @throws AppError as `LogWriter.append` does
   */
  async send(senderId: number, body: SendMessageDto): Promise<{ message: MessageDto; replayed: boolean }> {
    const { client_message_id = randomUUID(), reply_to_id = null } = body;
    const sent = { ...body, sender_id: senderId, client_message_id, reply_to_id };
    const { message, replayed } = await this.log.append(sent);
    this.logger.log({
      event: replayed ? 'message.replayed' : 'message.sent',
      user_id: senderId,
      chat_id: message.chat_id,
      message_id: message.id,
      seq: message.seq,
    });
    return { message, replayed };
  }

  /**
   * A page of a chat, oldest first, and how many messages the chat has in all.
   * @throws AppError `chat_not_found`, `validation_failed`
   */
  async history(
    userId: number,
    chatId: number,
    query: HistoryQuery,
  ): Promise<{ messages: MessageDto[]; total: number }> {
    const page = await this.messages.page(chatId, userId, historyRange(query));
    if (!page) throw new AppError('chat_not_found');
    return { messages: page.messages.map((row) => MessageDto.of(row, page.read_by_all_seq)), total: page.last_seq };
  }

  /** The message, if the user is in its chat. @throws AppError `message_not_found` */
  async get(userId: number, id: number): Promise<MessageDto> {
    const row = await this.access.requireVisible(userId, id);
    return MessageDto.of(row, row.read_by_all_seq);
  }

  /** Who has read a message, apart from its sender, in the order they joined. @throws AppError `message_not_found` */
  async readers(userId: number, id: number, limit: number, offset: number): Promise<ReaderDto[]> {
    const readers = await this.messages.readers(id, userId, limit, offset);
    if (!readers) throw new AppError('message_not_found');
    return readers;
  }
}
