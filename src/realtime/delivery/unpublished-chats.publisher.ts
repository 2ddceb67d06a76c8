import { Injectable } from '@nestjs/common';
import type { ChatHead, LoggedChange, LoggedMessage } from '../../messages/log.reader.js';
import { RealtimePublisher } from '../realtime.publisher.js';
import { ChatChangePublisher, type ChatSnapshot } from './chat-change.publisher.js';
import { readsOf } from './logged-reads.js';
import { PublishedPositions } from './published-positions.js';
import type { UnpublishedChat } from './unpublished-chats.reader.js';

/**
 * The second half of a catch-up round: publishes what `UnpublishedChatsReader` has read, in the order of the commits of
 * each chat. `CatchUpQueue` calls it.
 *
 * What has been published before is left out. Each step is noted in `PublishedPositions` at once, so a failure in the
 * middle publishes nothing twice.
 */
@Injectable()
export class UnpublishedChatsPublisher {
  constructor(
    private readonly published: PublishedPositions,
    private readonly publisher: RealtimePublisher,
    private readonly changePublisher: ChatChangePublisher,
  ) {}

  /**
   * @throws the error of a query, usually that the database is unavailable; what was published until then stays noted
   */
  async publish(chats: readonly UnpublishedChat[]): Promise<void> {
    for (const chat of chats) await this.publishChat(chat);
  }

  /** Publishes each change after the messages that were committed before it. */
  private async publishChat(chat: UnpublishedChat): Promise<void> {
    let messages = chat.messages;
    for (const change of chat.changes) {
      if (this.published.hasChange(change.id) || isAhead(change, chat.head)) continue;
      const later = messages.findIndex(({ message }) => message.seq > change.after_seq);
      const before = later < 0 ? messages : messages.slice(0, later);
      this.publishMessages(chat, before);
      messages = messages.slice(before.length);
      await this.changePublisher.publish(chat, change);
      this.published.addChange(change.id);
    }
    this.publishMessages(chat, messages);
    if (chat.head) {
      this.published.advance(chat.id, { seq: chat.head.last_seq, changeSeq: chat.head.last_change_seq });
    }
  }

  private publishMessages({ id, head, memberIds }: ChatSnapshot, logged: readonly LoggedMessage[]): void {
    if (logged.length === 0) return;
    const messages = logged.map(({ message }) => message);
    const reads = readsOf(id, logged, head!.read_by_all_seq, new Set(memberIds));
    this.publisher.publishMessages(messages, reads, memberIds);
    // Note this at once: the next step may fail, and these messages must not be published again.
    this.published.advance(id, { seq: messages.at(-1)!.seq, changeSeq: 0 });
  }
}

/**
 * Whether the change was committed after the head was read. Then the next round publishes it, with the next head. A
 * chat that no longer exists has no next head, so all its changes are published.
 */
function isAhead({ change_seq, after_seq }: LoggedChange, head: ChatHead | undefined): boolean {
  return head !== undefined && (after_seq > head.last_seq || (change_seq ?? 0) > head.last_change_seq);
}
