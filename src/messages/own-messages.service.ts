import { Injectable } from '@nestjs/common';
import { ChatOutbox } from '../chats/chat.outbox.js';
import { ChatWriter } from '../chats/chat.writer.js';
import type { MessageRow } from '../chats/dto/message.dto.js';
import { MessagesRepository } from './messages.repository.js';

/** Places of a chat that are looked through at once. */
const SLICE = 2_000;
/** Messages that become tombstones in one transaction, which holds the chat's lock. */
const ERASED_AT_ONCE = 100;

/** All that somebody has written in a chat, in or no longer in it: looked for slice by slice, however long the chat is. */
@Injectable()
export class OwnMessagesService {
  constructor(
    private readonly messages: MessagesRepository,
    private readonly writer: ChatWriter,
    private readonly outbox: ChatOutbox,
  ) {}

  /** Their messages by `seq`, some at a time, tombstones included. */
  async *in(chatId: number, senderId: number): AsyncGenerator<MessageRow[]> {
    const lastSeq = await this.messages.lastSeq(chatId);
    for (let after = 0; after < lastSeq; after += SLICE) {
      const rows = await this.messages.ofSender(chatId, senderId, after, after + SLICE);
      if (rows.length > 0) yield rows;
    }
  }

  /**
   * Turns them all into tombstones, as if each had been deleted by its sender, in many transactions: what a stop or a
   * crash leaves, another call does. `isStopped` is asked before each. Nothing is kept to know a replay by: the sender,
   * whose account is closed, can send none.
   */
  async erase(chatId: number, senderId: number, isStopped: () => boolean): Promise<void> {
    for await (const rows of this.in(chatId, senderId)) {
      const seqs = rows.filter(({ deleted_at }) => !deleted_at).map(({ seq }) => seq);
      for (let done = 0; done < seqs.length && !isStopped(); done += ERASED_AT_ONCE) {
        await this.eraseSome(chatId, seqs.slice(done, done + ERASED_AT_ONCE));
      }
      if (isStopped()) return;
      await this.messages.forgetSent(chatId, senderId, rows[0]!.seq, rows.at(-1)!.seq);
    }
  }

  private eraseSome(chatId: number, seqs: readonly number[]): Promise<void> {
    return this.writer.write(chatId, async (chat) => {
      if (!chat || chat.deletedAt) return;
      // Some may have been deleted since they were looked for.
      const living = await this.messages.living(chatId, seqs);
      if (living.length === 0) return;
      await this.messages.deleteAll(chatId, living, await this.outbox.recordDeletions(chatId, living));
    });
  }
}
