import { Injectable } from '@nestjs/common';
import { ChatOutbox } from '../chats/chat.outbox.js';
import { ChatWriter } from '../chats/chat.writer.js';
import type { MessageRow } from '../chats/dto/message.dto.js';
import { MessagesRepository } from './messages.repository.js';

/** How many messages of a chat one query searches. */
const SLICE = 2_000;
/** How many messages one transaction turns into tombstones. It holds the chat's lock meanwhile. */
const ERASED_AT_ONCE = 100;

/**
 * Finds and erases all messages of one sender in a chat, also after the sender has left it. `src/accounts/` calls it,
 * for the export and for the erasure of a closed account. No index has the sender, so it searches the chat slice by
 * slice.
 */
@Injectable()
export class OwnMessagesService {
  constructor(
    private readonly messages: MessagesRepository,
    private readonly writer: ChatWriter,
    private readonly outbox: ChatOutbox,
  ) {}

  /** The sender's messages by `seq`, in portions, tombstones included. */
  async *in(chatId: number, senderId: number): AsyncGenerator<MessageRow[]> {
    const lastSeq = await this.messages.lastSeq(chatId);
    for (let after = 0; after < lastSeq; after += SLICE) {
      const rows = await this.messages.ofSender(chatId, senderId, after, after + SLICE);
      if (rows.length > 0) yield rows;
    }
  }

  /**
   * Turns all the sender's messages into tombstones, as if the sender had deleted each, in many transactions; yields
   * after each. After a stop or a crash, another call does the rest. The hashes of the original texts go, too: they
   * only serve replays, and a closed account can't send.
   */
  async *erase(chatId: number, senderId: number): AsyncGenerator<void> {
    for await (const rows of this.in(chatId, senderId)) {
      const seqs = rows.filter(({ deleted_at }) => !deleted_at).map(({ seq }) => seq);
      for (let done = 0; done < seqs.length; done += ERASED_AT_ONCE) {
        await this.eraseSome(chatId, seqs.slice(done, done + ERASED_AT_ONCE));
        yield;
      }
      await this.messages.forgetSent(chatId, senderId, rows[0]!.seq, rows.at(-1)!.seq);
      yield;
    }
  }

  private eraseSome(chatId: number, seqs: readonly number[]): Promise<void> {
    return this.writer.write(chatId, async (chat) => {
      if (!chat || chat.deletedAt) return;
      // Some may have been deleted since the search.
      const living = await this.messages.living(chatId, seqs);
      if (living.length === 0) return;
      await this.messages.deleteAll(chatId, living, await this.outbox.recordDeletions(chatId, living));
    });
  }
}
