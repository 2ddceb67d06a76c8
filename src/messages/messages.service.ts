import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { ChatWriter } from '../chats/chat-writer.js';
import type { Chat } from '../chats/chat.entity.js';
import { ChatsService } from '../chats/chats.service.js';
import { MessageDto, type MessageRow } from '../chats/dto/message.dto.js';
import { AppError } from '../common/app-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { HistoryQuery, SendMessageDto } from './dto/message-input.dto.js';
import type { ReaderDto } from './dto/receipt.dto.js';
import { historyRange } from './history-range.js';
import { MessageCreated } from './message.events.js';
import { MessagesRepository, type NewMessage } from './messages.repository.js';
import { ReceiptsService } from './receipts.service.js';

/** The message log: what is sent, and reading it back. */
@Injectable()
export class MessagesService {
  private readonly logger = new Logger(MessagesService.name);

  constructor(
    private readonly messages: MessagesRepository,
    private readonly receipts: ReceiptsService,
    private readonly chats: ChatsService,
    private readonly writer: ChatWriter,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Appends a message, or returns the one that the same sending has already made. A missing key is made up.
   * @throws AppError `chat_not_found`, `client_message_id_conflict`, `validation_failed` for a reply to another chat's message
   */
  async send(senderId: number, body: SendMessageDto): Promise<{ message: MessageDto; replayed: boolean }> {
    const { chat_id: chatId, text, client_message_id: clientMessageId = randomUUID(), reply_to_id: replyToId } = body;
    const input: NewMessage = { chatId, senderId, text, clientMessageId, replyToId };
    const { message, replayed } = await this.writer.write(chatId, (chat) => this.appendOrReplay(chat, input));
    this.logger.log({
      event: replayed ? 'message.replayed' : 'message.sent',
      user_id: senderId,
      chat_id: chatId,
      message_id: message.id,
      seq: message.seq,
    });
    return { message, replayed };
  }

  private async appendOrReplay(
    chat: Chat | null,
    input: NewMessage,
  ): Promise<{ message: MessageDto; replayed: boolean }> {
    const standing = await this.messages.standing(input);
    if (!chat || !standing) throw new AppError('chat_not_found');
    const original = await this.messages.findByKey(chat.id, input.clientMessageId);
    if (original) return { message: await this.replay(original, input), replayed: true };
    if (input.replyToId !== undefined && !standing.reply_found) {
      throw AppError.invalidField('reply_to_id', 'must be a message of the same chat');
    }
    const row = await this.messages.append(chat, input);
    const memberIds = await this.chats.memberIds(chat.id);
    // Of several members nobody but the sender can have read it yet; a sender alone has.
    const message = MessageDto.of(row, memberIds.length === 1 ? row.seq : row.seq - 1);
    this.unitOfWork.publish(new MessageCreated(message, memberIds));
    await this.receipts.readBySending(row, standing.last_read_seq);
    return { message, replayed: false };
  }

  /** The same key from the same sender with the same content is the same message; anything else hears nothing of the other one. */
  private async replay(original: MessageRow, { senderId, text, replyToId }: NewMessage): Promise<MessageDto> {
    const same =
      original.sender_id === senderId && original.text === text && original.reply_to_id === (replyToId ?? null);
    if (!same) throw new AppError('client_message_id_conflict');
    return this.present(original);
  }

  /** A page of a chat, oldest first, and how many messages it has in all. @throws AppError `chat_not_found`, `validation_failed` */
  async history(
    userId: number,
    chatId: number,
    query: HistoryQuery,
  ): Promise<{ messages: MessageDto[]; total: number }> {
    const chat = await this.chats.view(chatId, userId);
    const { from, to } = historyRange(query, chat.last_seq);
    const rows = from > to ? [] : await this.messages.range(chatId, from, to);
    return { messages: rows.map((row) => MessageDto.of(row, chat.read_by_all_seq)), total: chat.last_seq };
  }

  /** @throws AppError `message_not_found` */
  async get(userId: number, id: number): Promise<MessageDto> {
    return this.present(await this.requireVisible(userId, id));
  }

  /** Who has read a message, its sender aside. @throws AppError `message_not_found` */
  async readers(userId: number, id: number): Promise<ReaderDto[]> {
    const { chat_id, seq, sender_id } = await this.requireVisible(userId, id);
    return this.chats.readers(chat_id, seq, sender_id);
  }

  private async requireVisible(userId: number, id: number): Promise<MessageRow> {
    const row = await this.messages.findVisible(id, userId);
    if (!row) throw new AppError('message_not_found');
    return row;
  }

  private async present(row: MessageRow): Promise<MessageDto> {
    return MessageDto.of(row, await this.chats.readByAllSeq(row.chat_id));
  }
}
