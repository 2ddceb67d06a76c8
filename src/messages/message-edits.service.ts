import { Injectable, Logger } from '@nestjs/common';
import { ChatOutbox } from '../chats/chat.outbox.js';
import { ChatWriter } from '../chats/chat.writer.js';
import type { Chat } from '../chats/chat.entity.js';
import type { ChatMember } from '../chats/chat-member.entity.js';
import { ChatsService } from '../chats/chats.service.js';
import type { MessageDto, MessageRow } from '../chats/dto/message.dto.js';
import { AppError } from '../common/errors/app-error.js';
import { MessageAccessService } from './message-access.service.js';
import { MessagesRepository } from './messages.repository.js';

/** What an edit or a deletion decides on, read under the chat's lock. `member` is the user who makes the change. */
interface Change {
  readonly chat: Chat;
  readonly member: ChatMember;
  readonly row: MessageRow;
}

/**
 * Edits and deletes messages, for `MessagesController` and `RealtimeGateway`. Each change goes through `ChatWriter`,
 * takes the chat's next `change_seq`, and is recorded in the outbox, from which every node publishes it.
 *
 * A message keeps its `seq` for ever; a deleted one stays as a tombstone. The permission is checked under the chat's
 * lock, so a member who was removed meanwhile changes nothing.
 */
@Injectable()
export class MessageEditsService {
  private readonly logger = new Logger(MessageEditsService.name);

  constructor(
    private readonly messages: MessagesRepository,
    private readonly access: MessageAccessService,
    private readonly chats: ChatsService,
    private readonly writer: ChatWriter,
    private readonly outbox: ChatOutbox,
  ) {}

  /**
   * Edits a message of the user; the same text changes nothing.
   * @throws AppError `message_not_found`, also for a tombstone, `forbidden`, `blocked`, `overloaded`
   */
  async edit(userId: number, id: number, text: string): Promise<MessageDto> {
    const message = await this.change(userId, id, async ({ chat, row }) => {
      if (row.sender_id !== userId) throw new AppError('forbidden');
      if (row.deleted_at) throw new AppError('message_not_found');
      if (row.text === text) return this.access.present(row);
      if (chat.blocked) throw new AppError('blocked');
      return this.access.present(await this.messages.edit(row, text, await this.record('message_updated', row)));
    });
    this.logger.log({ event: 'message.edited', user_id: userId, chat_id: message.chat_id, message_id: id });
    return message;
  }

  /**
   * Deletes a message of the user, or any message of a group whose owner or admin the user is. A tombstone stays as it
   * is.
   * @throws AppError `message_not_found`, `forbidden`, `overloaded`
   */
  async delete(userId: number, id: number): Promise<MessageDto> {
    const message = await this.change(userId, id, async ({ member, row }) => {
      // In a private chat all have the role `member`.
      if (row.sender_id !== userId && member.role === 'member') throw new AppError('forbidden');
      if (row.deleted_at) return this.access.present(row);
      return this.access.present(await this.messages.delete(row, await this.record('message_deleted', row)));
    });
    this.logger.log({ event: 'message.deleted', user_id: userId, chat_id: message.chat_id, message_id: id });
    return message;
  }

  /** Runs `work` under the chat's lock, with the user's membership and the message read under it. */
  private async change(userId: number, id: number, work: (change: Change) => Promise<MessageDto>): Promise<MessageDto> {
    const seen = await this.access.requireVisible(userId, id);
    return this.writer.write(seen.chat_id, async (chat) => {
      const member = await this.chats.requireMember(seen.chat_id, userId, 'message_not_found');
      const [row] = await this.messages.range(seen.chat_id, seen.seq, seen.seq);
      return work({ chat: chat!, member, row: row! });
    });
  }

  /** Records the change in the outbox, and returns its `change_seq`. */
  private record(kind: 'message_updated' | 'message_deleted', { chat_id, seq }: MessageRow): Promise<number> {
    return this.outbox.record(chat_id, { kind, seq });
  }
}
