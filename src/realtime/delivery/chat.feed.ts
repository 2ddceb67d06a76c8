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
 * Publishes to the devices on this node everything that is committed in their chats, whichever node wrote it: once, and
 * in the order of the commits of each chat. It listens to the domain events of this node and to `NodeBus`;
 * `LogTailPoller` finds what neither announced.
 *
 * States of a chat on this node:
 * - *unknown*: nothing of it was published in the last minute;
 * - *known*: `PublishedPositions` has its high-water mark: everything up to there has been published;
 * - *catching up*: it is in the `CatchUpQueue`, which reads from the database what is unpublished.
 *
 * Transitions:
 * - messages appended here that are next to the high-water mark (or in an unknown chat that was idle for long enough):
 *   they are published at once, and the high-water mark advances;
 * - messages appended here that are not next, any other change made here, a notification of another node, and
 *   everything that a poll of the log finds: the chat catches up, and its high-water mark advances to the chat's
 *   current position;
 * - a minute without anything new: the chat is unknown again.
 *
 * Invariants: nothing is published of a chat while something older of it is unpublished. Messages of a chat that is
 * catching up are not published at once. So a notification that is lost, late or sent twice costs time and nothing
 * else.
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

  /** It must not begin earlier: `LogTailPoller` sets the watermark to the end of the log in `onModuleInit`. */
  onApplicationBootstrap(): void {
    this.events.on(MessagesAppended, (event) => this.appended(event));
    this.events.on(MessagesRead, (event) => this.read(event));
    this.events.on(ChatChanged, ({ chatId }) => this.changed(chatId));
    this.bus.on('advanced', (items) => {
      void this.tryToCatchUp(items.filter((item) => this.isRelevant(item)).map(({ chat_id }) => chat_id));
    });
  }

  /** Publishes the messages at once if they are next, and lets the chat catch up if not. */
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

  /** Publishes a read after the message that was read: at once, or when the chat catches up. */
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

  /**
   * Whether the notification means that something must be published here. If none of the users is connected, the
   * high-water mark advances as if it had been published: devices that connect later call `sync`.
   */
  private isRelevant({ chat_id, position, user_ids }: ChatAdvanced): boolean {
    if (position && this.published.has(chat_id, position)) return false;
    if (!user_ids || user_ids.some((userId) => this.publisher.isConnected(userId))) return true;
    if (position && !this.catchUp.has(chat_id)) this.published.advance(chat_id, position);
    return false;
  }

  /** Catches up, and logs a failure: the next poll of the log finds the same chats again. */
  private async tryToCatchUp(chatIds: readonly number[]): Promise<void> {
    try {
      if (chatIds.length > 0) await this.catchUp.add(chatIds);
    } catch (err) {
      this.logger.warn({ err, event: 'feed.behind' });
    }
  }
}
