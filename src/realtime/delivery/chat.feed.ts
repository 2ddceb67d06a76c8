import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { ChatChanged } from '../../chats/chat.events.js';
import { ChatLaneScheduler } from '../../chats/chat-lane.scheduler.js';
import { MemberListCache } from '../../chats/member-list.cache.js';
import { DomainEventBus } from '../../common/domain-event.bus.js';
import {
  type ChatHead,
  type LoggedChange,
  type LoggedMessage,
  LogReader,
  type LogAdvance,
} from '../../messages/log.reader.js';
import { MessagesAppended, MessagesRead } from '../../messages/message.events.js';
import { ChatChangePublisher, type ChatSnapshot } from './chat-change.publisher.js';
import { PublishedPositions } from './published-positions.js';
import { readsOf } from './logged-reads.js';
import { LogWatermark } from './log.watermark.js';
import { type ChatAdvanced, NodeBus } from './node.bus.js';
import { RealtimePublisher } from '../realtime.publisher.js';

/** Chats that are caught up with by the same queries. */
const MAX_CHATS = 200;

/**
 * Tells the devices on this node all that is committed, each chat's news once and in the order of the commits, whichever
 * node wrote them. What this node appended itself, next to what it told last, leaves at once. For everything else a chat
 * is said to have moved (here, by another node, or by a look at the log), and is caught up with from the database. So a
 * hint that is lost, comes twice or too late changes nothing but the time.
 */
@Injectable()
export class ChatFeed implements OnModuleInit {
  private readonly logger = new Logger(ChatFeed.name);
  private readonly positions = new PublishedPositions();
  /** Changes above the horizon that have been told. */
  private readonly publishedChangeIds = new Set<number>();
  /** Chats to catch up with in the next round, and those of the one under way. */
  private dirty = new Set<number>();
  private underWay: ReadonlySet<number> = new Set();
  private nextRound: Promise<void> | undefined;
  private lastRound: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: LogReader,
    private readonly watermark: LogWatermark,
    private readonly memberListCache: MemberListCache,
    private readonly lanes: ChatLaneScheduler,
    private readonly publisher: RealtimePublisher,
    private readonly changes: ChatChangePublisher,
    private readonly bus: NodeBus,
    private readonly events: DomainEventBus,
  ) {}

  async onModuleInit(): Promise<void> {
    this.watermark.start(await this.log.newest());
    this.events.on(MessagesAppended, (event) => this.append(event));
    this.events.on(MessagesRead, (event) => this.read(event));
    this.events.on(ChatChanged, ({ chatId }) => {
      this.bus.send('moved', { chat_id: chatId });
      return this.notify([chatId]);
    });
    this.bus.on('moved', (items) => {
      void this.notify(items.filter((item) => this.isRelevant(item)).map(({ chat_id }) => chat_id));
    });
  }

  /** Catches up with what a look at the log has found. @throws whatever says that the database is away */
  async follow({ chats }: LogAdvance): Promise<void> {
    const behind = chats.filter(
      ({ chat_id, seq, change_ids }) =>
        // What is being written here is told when that is done; if not, the next look still finds it.
        !this.lanes.isBusy(chat_id) &&
        (!this.positions.has(chat_id, { seq, changeSeq: 0 }) ||
          change_ids.some((id) => !this.publishedChangeIds.has(id))),
    );
    if (behind.length > 0) await this.catchUp(behind.map(({ chat_id }) => chat_id));
  }

  /** Forgets what no look at the log will ask for any more. */
  forget(): void {
    this.positions.forgetQuiet();
    for (const id of this.publishedChangeIds)
      if (id <= this.watermark.position.changeId) this.publishedChangeIds.delete(id);
  }

  private append({ chatId, messages, reads, chat }: MessagesAppended): void {
    const position = { seq: messages.at(-1)!.seq, changeSeq: chat.changeSeq };
    const userIds = chat.memberIds ?? this.memberListCache.get(chatId, chat.membersSeq);
    if (userIds && this.isNext(chatId, messages[0]!.seq, chat)) {
      this.publisher.publishMessages(messages, reads, userIds);
      this.positions.advance(chatId, position);
    } else {
      void this.notify([chatId]);
    }
    this.bus.send('moved', { chat_id: chatId, position, user_ids: chat.memberIds ?? undefined });
  }

  /** Whether everything before this message has been told here. */
  private isNext(chatId: number, seq: number, { changeSeq, idleMs }: MessagesAppended['chat']): boolean {
    if (this.isCatchingUp(chatId)) return false;
    const position = this.positions.of(chatId);
    return position
      ? position.seq === seq - 1 && position.changeSeq === changeSeq
      : idleMs > this.watermark.maxUnobservedMs;
  }

  private async read(event: MessagesRead): Promise<void> {
    const { chat_id } = event.receipt;
    this.bus.send('moved', { chat_id, user_ids: event.userIds });
    // Not before the message that was read.
    if (this.isCatchingUp(chat_id) || !this.hasPublished(event.receipt)) return this.notify([chat_id]);
    this.publisher.publishRead(event);
    this.publishedChangeIds.add(event.changeId);
  }

  private hasPublished({ chat_id, seq, message_id }: MessagesRead['receipt']): boolean {
    const position = this.positions.of(chat_id);
    return position ? seq <= position.seq : message_id <= this.watermark.position.messageId;
  }

  private isCatchingUp(chatId: number): boolean {
    return this.dirty.has(chatId) || this.underWay.has(chatId);
  }

  /** Whether there is something to tell here. Where nobody is, the chat counts as told: whoever comes later syncs. */
  private isRelevant({ chat_id, position, user_ids }: ChatAdvanced): boolean {
    if (position && this.positions.has(chat_id, position)) return false;
    if (!user_ids || user_ids.some((userId) => this.publisher.isConnected(userId))) return true;
    if (position && !this.isCatchingUp(chat_id)) this.positions.advance(chat_id, position);
    return false;
  }

  private async notify(chatIds: readonly number[]): Promise<void> {
    try {
      if (chatIds.length > 0) await this.catchUp(chatIds);
    } catch (err) {
      // What can't be told now, the next look at the log finds again.
      this.logger.warn({ err, event: 'feed.behind' });
    }
  }

  /** Resolves when these chats have been told as far as they are now. */
  private catchUp(chatIds: readonly number[]): Promise<void> {
    for (const chatId of chatIds) this.dirty.add(chatId);
    if (!this.nextRound) {
      this.nextRound = this.lastRound.then(() => this.round());
      this.lastRound = this.nextRound.catch(() => undefined);
    }
    return this.nextRound;
  }

  private async round(): Promise<void> {
    const chatIds = [...this.dirty];
    this.underWay = this.dirty;
    this.dirty = new Set();
    this.nextRound = undefined;
    try {
      for (let start = 0; start < chatIds.length; start += MAX_CHATS) {
        await this.publishChats(chatIds.slice(start, start + MAX_CHATS));
      }
    } finally {
      this.underWay = new Set();
    }
  }

  private async publishChats(chatIds: readonly number[]): Promise<void> {
    const { position: mark } = this.watermark;
    const held = chatIds.map((chatId) => ({ chatId, seq: this.positions.of(chatId)?.seq }));
    const heads = await this.log.heads(held, mark);
    // After the heads, so that each has its changes; what is newer still waits for the next round.
    const changes = byChat(await this.log.changes(chatIds, mark), ({ chat_id }) => chat_id);
    const headOf = new Map(heads.map((head) => [head.chat_id, head]));
    const chats = await Promise.all(chatIds.map((id) => this.snapshotOf(id, headOf.get(id))));
    const behind = chats.filter((chat) => this.hasConnectedMember(chat)).flatMap(({ head }) => head ?? []);
    const messages = byChat(
      await this.log.messages(behind.filter(({ from_seq, last_seq }) => from_seq < last_seq)),
      ({ message }) => message.chat_id,
    );
    for (const chat of chats) await this.publishChat(chat, messages.get(chat.id) ?? [], changes.get(chat.id) ?? []);
  }

  private hasConnectedMember({ memberIds }: ChatSnapshot): boolean {
    return memberIds.some((userId) => this.publisher.isConnected(userId));
  }

  private async snapshotOf(id: number, head: ChatHead | undefined): Promise<ChatSnapshot> {
    const memberIds = head ? (head.member_ids ?? (await this.memberListCache.load(id, head.members_seq))) : [];
    return { id, head, memberIds };
  }

  /** Each change after the messages that were there before it. */
  private async publishChat(chat: ChatSnapshot, messages: LoggedMessage[], changes: LoggedChange[]): Promise<void> {
    let told = 0;
    for (const change of changes) {
      if (this.publishedChangeIds.has(change.id) || isAhead(change, chat.head)) continue;
      const before = messages.findIndex(({ message }, index) => index >= told && message.seq > change.after_seq);
      told += this.publishMessages(chat, messages.slice(told, before < 0 ? undefined : before));
      await this.changes.publish(chat, change);
      this.publishedChangeIds.add(change.id);
    }
    this.publishMessages(chat, messages.slice(told));
    if (chat.head) {
      this.positions.advance(chat.id, { seq: chat.head.last_seq, changeSeq: chat.head.last_change_seq });
    }
  }

  private publishMessages({ id, head, memberIds }: ChatSnapshot, logged: LoggedMessage[]): number {
    if (logged.length > 0) {
      const reads = readsOf(logged, head!.read_by_all_seq, new Set(memberIds));
      this.publisher.publishMessages(
        logged.map(({ message }) => message),
        reads,
        memberIds,
      );
      // At once: what comes after them may fail, and they must not be told again.
      this.positions.advance(id, { seq: logged.at(-1)!.message.seq, changeSeq: 0 });
    }
    return logged.length;
  }
}

/** Whether the change came after the head was read; it is told with the next one. A chat that is gone has no next. */
function isAhead({ change_seq, after_seq }: LoggedChange, head: ChatHead | undefined): boolean {
  return head !== undefined && (after_seq > head.last_seq || (change_seq ?? 0) > head.last_change_seq);
}

function byChat<T>(items: readonly T[], chatOf: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(chatOf(item));
    if (group) group.push(item);
    else groups.set(chatOf(item), [item]);
  }
  return groups;
}
