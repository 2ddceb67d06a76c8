import { Injectable, Logger } from '@nestjs/common';
import { ChatWriter } from '../chats/chat-writer.js';
import { ChatsService } from '../chats/chats.service.js';
import type { MessageRow } from '../chats/dto/message.dto.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { ReadReceiptDto } from './dto/receipt.dto.js';
import { MessageAccess } from './message-access.js';
import { MessagesRead } from './message.events.js';
import { MessagesRepository } from './messages.repository.js';

/** Read marks: one cursor for each member, no row for each message. */
@Injectable()
export class ReceiptsService {
  private readonly logger = new Logger(ReceiptsService.name);

  constructor(
    private readonly messages: MessagesRepository,
    private readonly access: MessageAccess,
    private readonly chats: ChatsService,
    private readonly writer: ChatWriter,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Reads the chat up to this message; reading again changes nothing and tells nobody. @throws AppError `message_not_found` */
  async read(userId: number, messageId: number): Promise<ReadReceiptDto> {
    const row = await this.access.requireVisible(userId, messageId);
    // Under the chat's lock: of two last readers at once, the later one must see that now all have read.
    const receipt = await this.writer.write(row.chat_id, async () => {
      const { lastReadSeq } = await this.chats.requireMember(row.chat_id, userId, 'message_not_found');
      if (lastReadSeq >= row.seq) return this.receipt(row, userId);
      await this.messages.moveCursor(row.chat_id, userId, row.seq);
      return this.announce(row, userId, lastReadSeq);
    });
    this.logger.log({ event: 'message.read', user_id: userId, chat_id: row.chat_id, message_id: row.id, seq: row.seq });
    return receipt;
  }

  private async announce(upTo: MessageRow, readerId: number, lastReadSeq: number): Promise<ReadReceiptDto> {
    const receipt = await this.receipt(upTo, readerId);
    const senderIds = await this.messages.sendersBetween(upTo.chat_id, lastReadSeq, upTo.seq, readerId);
    this.unitOfWork.publish(new MessagesRead(receipt, [readerId, ...senderIds]));
    return receipt;
  }

  private async receipt(row: MessageRow, readerId: number): Promise<ReadReceiptDto> {
    const isRead = row.seq <= (await this.chats.readByAllSeq(row.chat_id));
    return {
      type: 'read_receipt',
      message_id: row.id,
      chat_id: row.chat_id,
      reader_id: readerId,
      is_read: isRead,
      seq: row.seq,
    };
  }
}
