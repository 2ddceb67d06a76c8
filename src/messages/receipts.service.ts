import { Injectable, Logger } from '@nestjs/common';
import { ChatLaneScheduler } from '../chats/chat-lane.scheduler.js';
import { AppError } from '../common/errors/app-error.js';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { ReadReceiptDto } from './dto/receipt.dto.js';
import { MessageAccessService } from './message-access.service.js';
import { MessagesRead } from './message.events.js';
import { MessagesRepository } from './messages.repository.js';

/**
 * Marks messages as read, for `MessagesController` and `RealtimeGateway`. Each member has one cursor, the `seq` up to
 * which they have read; no row is stored for each message. A read runs in the lane of its chat, so that its event is
 * published in the order of the commits.
 */
@Injectable()
export class ReceiptsService {
  private readonly logger = new Logger(ReceiptsService.name);

  constructor(
    private readonly messages: MessagesRepository,
    private readonly access: MessageAccessService,
    private readonly lanes: ChatLaneScheduler,
    private readonly events: DomainEventBus,
  ) {}

  /**
   * Marks the message, and all before it, as read. A repeated read changes nothing and publishes nothing.
   * @throws AppError `message_not_found`, `overloaded`
   */
  async read(userId: number, messageId: number): Promise<ReadReceiptDto> {
    const { id, chat_id, seq } = await this.access.requireVisible(userId, messageId);
    const receipt = await this.lanes.run(chat_id, async () => {
      const read = await this.messages.markRead(chat_id, userId, seq, id);
      if (!read) throw new AppError('message_not_found');
      const marked = ReadReceiptDto.of(chat_id, userId, { id, seq }, seq <= read.read_by_all_seq);
      if (read.change_id !== null) {
        await this.events.publish(new MessagesRead(marked, [userId, ...read.author_ids], read.change_id));
      }
      return marked;
    });
    this.logger.log({ event: 'message.read', user_id: userId, chat_id, message_id: id, seq });
    return receipt;
  }
}
