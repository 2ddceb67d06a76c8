import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { ChatChanged } from '../../chats/chat.events.js';
import { MemberListCache } from '../../chats/member-list.cache.js';
import { DomainEventBus } from '../../common/domain-event.bus.js';
import { MessagesAppended, MessagesRead } from '../../messages/message.events.js';
import { RealtimePublisher } from '../realtime.publisher.js';
import { CatchUpQueue } from './catch-up.queue.js';
import { type ChatAdvanced, NodeBus } from './node.bus.js';
import { PublishedPositions } from './published-positions.js';

/**
 * Publishes to the devices on this node all that is committed, each chat's news once and in the order of the commits,
 * whichever node wrote it.
 *
 * States of a chat on this node:
 * - *unknown*: nothing was published of it in the last minute;
 * - *known*: `PublishedPositions` has its mark, and all up to the mark has been published;
 * - *catching up*: it is in the `CatchUpQueue`, and its news is read from the database.
 *
 * Transitions:
 * - messages appended here, next to the mark (or in an unknown chat that was idle for long enough): published at once,
 *   and the mark advances;
 * - messages appended here that are not next, any other change made here, a notification of another node, and whatever
 *   a poll of the log finds: the chat is caught up with, then its mark advances to where the chat is;
 * - a minute without news: the chat is unknown again.
 *
 * Invariants: nothing is published of a chat past news that hasn't been; a chat that is catching up publishes nothing at
 * once. So a notification that is lost, late or doubled changes nothing but the time.
 */
@Injectable()
export class ChatFeed implements OnApplicationBootstrap {
  private readonly logger = new Logger(ChatFeed.name);

  constructor(
    private readonly published: PublishedPositions,
    private readonly catchUp: CatchUpQueue,
    private readonly memberLists: MemberListCache,
    private readonly publisher: RealtimePublisher,
    private readonly bus: NodeBus,
    private readonly events: DomainEventBus,
  ) {}

  /** Not earlier: by now `LogTailPoller` has set the watermark to the end of the log. */
  onApplicationBootstrap(): void {
    this.events.on(MessagesAppended, (event) => this.appended(event));
    this.events.on(MessagesRead, (event) => this.read(event));
    this.events.on(ChatChanged, ({ chatId }) => this.changed(chatId));
    this.bus.on('advanced', (items) => {
      void this.tryToCatchUp(items.filter((item) => this.isRelevant(item)).map(({ chat_id }) => chat_id));
    });
  }

  private appended({ chatId, messages, reads, chat }: MessagesAppended): void {
    const position = { seq: messages.at(-1)!.seq, changeSeq: chat.changeSeq };
    const userIds = chat.memberIds ?? this.memberLists.get(chatId, chat.membersSeq);
    if (userIds && !this.catchUp.has(chatId) && this.published.isNext(chatId, messages[0]!.seq, chat)) {
      this.publisher.publishMessages(messages, reads, userIds);
      this.published.advance(chatId, position);
    } else {
      void this.tryToCatchUp([chatId]);
    }
    this.bus.send('advanced', { chat_id: chatId, position, user_ids: chat.memberIds ?? undefined });
  }

  /** A read is published after the message that was read. */
  private async read(event: MessagesRead): Promise<void> {
    const { chat_id, message_id, seq } = event.receipt;
    this.bus.send('advanced', { chat_id, user_ids: event.userIds });
    if (this.catchUp.has(chat_id) || !this.published.hasMessage(chat_id, { seq, id: message_id })) {
      return this.tryToCatchUp([chat_id]);
    }
    this.publisher.publishRead(event);
    this.published.addChange(event.changeId);
  }

  private changed(chatId: number): Promise<void> {
    this.bus.send('advanced', { chat_id: chatId });
    return this.tryToCatchUp([chatId]);
  }

  /** Whether there is something to publish here. Where nobody is, it counts as published: whoever connects later syncs. */
  private isRelevant({ chat_id, position, user_ids }: ChatAdvanced): boolean {
    if (position && this.published.has(chat_id, position)) return false;
    if (!user_ids || user_ids.some((userId) => this.publisher.isConnected(userId))) return true;
    if (position && !this.catchUp.has(chat_id)) this.published.advance(chat_id, position);
    return false;
  }

  /** What can't be published now, the next poll of the log finds again. */
  private async tryToCatchUp(chatIds: readonly number[]): Promise<void> {
    try {
      if (chatIds.length > 0) await this.catchUp.add(chatIds);
    } catch (err) {
      this.logger.warn({ err, event: 'feed.behind' });
    }
  }
}
