import { Injectable } from '@nestjs/common';
import { MemberListCache } from '../../chats/member-list.cache.js';
import { type ChatHead, type LoggedChange, type LoggedMessage, LogReader } from '../../messages/log.reader.js';
import { RealtimePublisher } from '../realtime.publisher.js';
import type { ChatSnapshot } from './chat-change.publisher.js';
import { LogWatermark } from './log.watermark.js';
import { PublishedPositions } from './published-positions.js';

/**
 * The current state of a chat, with what may be unpublished on this node. Both lists are in the order of the commits.
 */
export interface UnpublishedChat extends ChatSnapshot {
  readonly messages: readonly LoggedMessage[];
  readonly changes: readonly LoggedChange[];
}

/**
 * The first half of a catch-up round: reads what this node has to publish of some chats. `CatchUpQueue` calls it. Two
 * or three queries serve any number of chats. Each big group whose cached member list is old takes one more.
 */
@Injectable()
export class UnpublishedChatsReader {
  constructor(
    private readonly log: LogReader,
    private readonly memberLists: MemberListCache,
    private readonly watermark: LogWatermark,
    private readonly published: PublishedPositions,
    private readonly publisher: RealtimePublisher,
  ) {}

  /**
   * Returns the chats in the order of `chatIds`.
   * @throws the error of a query, usually that the database is unavailable
   */
  async read(chatIds: readonly number[]): Promise<UnpublishedChat[]> {
    const { position } = this.watermark;
    const from = chatIds.map((chatId) => ({ chatId, seq: this.published.of(chatId)?.seq }));
    const heads = new Map((await this.log.heads(from, position)).map((head) => [head.chat_id, head]));
    // Read the changes after the heads, so that none up to a head is missing. A newer change waits for the next round.
    const changes = byChat(await this.log.changes(chatIds, position), ({ chat_id }) => chat_id);
    const snapshots = await Promise.all(chatIds.map((id) => this.snapshotOf(id, heads.get(id))));
    const behind = snapshots.filter((chat) => this.hasNewMessages(chat)).map(({ head }) => head!);
    const messages = byChat(await this.log.messages(behind), ({ message }) => message.chat_id);
    return snapshots.map((snapshot) => ({
      ...snapshot,
      messages: messages.get(snapshot.id) ?? [],
      changes: changes.get(snapshot.id) ?? [],
    }));
  }

  private async snapshotOf(id: number, head: ChatHead | undefined): Promise<ChatSnapshot> {
    const memberIds = head ? (head.member_ids ?? (await this.memberLists.load(id, head.members_seq))) : [];
    return { id, head, memberIds };
  }

  /** Whether the chat has messages to read. If no member is connected, nobody would get them. */
  private hasNewMessages({ head, memberIds }: ChatSnapshot): boolean {
    if (!head || head.from_seq >= head.last_seq) return false;
    return memberIds.some((userId) => this.publisher.isConnected(userId));
  }
}

/** Groups items by chat, and keeps their order. */
function byChat<T>(items: readonly T[], chatOf: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(chatOf(item));
    if (group) group.push(item);
    else groups.set(chatOf(item), [item]);
  }
  return groups;
}
