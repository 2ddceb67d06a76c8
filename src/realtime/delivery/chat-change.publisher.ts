import { Injectable } from '@nestjs/common';
import { ChatsService } from '../../chats/chats.service.js';
import { ReadReceiptDto } from '../../messages/dto/receipt.dto.js';
import { type ChatHead, type LoggedChange, LogReader } from '../../messages/log.reader.js';
import type { ChatSummary } from '../../contract/chats.js';
import { RealtimePublisher } from '../realtime.publisher.js';

/** A chat and its members when `head` was read. `head` is undefined when the chat no longer exists. */
export interface ChatSnapshot {
  readonly id: number;
  readonly head: ChatHead | undefined;
  readonly memberIds: readonly number[];
}

type LoggedMember = Extract<LoggedChange, { member: unknown }>;

/**
 * Publishes one row of `chat_changes` as events, to the devices on this node. `UnpublishedChatsPublisher` calls it for
 * each row, in the order of the commits. A row refers to what can be read, so the events show the current state of the
 * chat or message, not the state right after the change. Events go to the members in the snapshot only.
 */
@Injectable()
export class ChatChangePublisher {
  constructor(
    private readonly publisher: RealtimePublisher,
    private readonly chats: ChatsService,
    private readonly log: LogReader,
  ) {}

  /** @throws the error of a query, usually that the database is unavailable */
  async publish(chat: ChatSnapshot, change: LoggedChange): Promise<void> {
    switch (change.kind) {
      case 'created':
        await this.publishToNewcomers(chat, change.user_ids);
        break;
      case 'deleted':
        this.publishGone(chat, change.user_ids);
        break;
      case 'renamed':
        this.publishSummary(chat, change);
        break;
      case 'member_added':
        await this.publishToNewcomers(chat, [change.member.user_id]);
        this.publishMembership(chat, 'member:added', change);
        break;
      case 'member_removed':
        this.publishRemoval(chat, change);
        break;
      case 'member_updated':
        this.publishMember(chat, change);
        break;
      case 'message_updated':
        await this.publishMessage(chat, 'message:updated', change);
        break;
      case 'message_deleted':
        await this.publishMessage(chat, 'message:deleted', change);
        break;
      case 'read':
        this.publishRead(chat, change);
    }
  }

  private publishRemoval(chat: ChatSnapshot, change: LoggedMember): void {
    const { member } = change;
    this.publishGone(chat, [member.user_id]);
    // The removed user may be a member again. A later row publishes that.
    const remaining = { ...chat, memberIds: chat.memberIds.filter((userId) => userId !== member.user_id) };
    this.publishMembership(remaining, 'member:removed', change);
  }

  private async publishToNewcomers({ id }: ChatSnapshot, userIds: readonly number[]): Promise<void> {
    const connected = userIds.filter((userId) => this.publisher.isConnected(userId));
    const views = connected.length > 0 ? await this.chats.viewsFor(id, connected) : [];
    for (const { userId, chat } of views) this.publisher.to([userId])?.emit('chat:created', chat);
  }

  private publishGone({ id }: ChatSnapshot, userIds: readonly number[]): void {
    this.publisher.to(userIds)?.emit('chat:removed', { chat_id: id });
  }

  private publishSummary({ head, memberIds }: ChatSnapshot, { change_seq }: LoggedChange): void {
    // Without a name, the group has been deleted since.
    if (!head?.name) return;
    const summary: ChatSummary = {
      id: head.chat_id,
      name: head.name,
      creator_id: head.creator_id,
      member_count: head.member_count!,
      change_seq: change_seq!,
    };
    this.publisher.to(memberIds)?.emit('chat:updated', summary);
  }

  private publishMembership(
    { id, head, memberIds }: ChatSnapshot,
    event: 'member:added' | 'member:removed',
    { member, change_seq }: LoggedMember,
  ): void {
    // Without members, the group has been deleted since.
    if (!head?.member_count) return;
    const change = { chat_id: id, change_seq: change_seq!, member, member_count: head.member_count };
    this.publisher.to(memberIds)?.emit(event, change);
  }

  private publishMember({ id, memberIds }: ChatSnapshot, { member, change_seq }: LoggedMember): void {
    this.publisher.to(memberIds)?.emit('member:updated', { chat_id: id, change_seq: change_seq!, member });
  }

  private async publishMessage(
    { id, memberIds }: ChatSnapshot,
    event: 'message:updated' | 'message:deleted',
    { seq, change_seq }: Extract<LoggedChange, { seq: number }>,
  ): Promise<void> {
    const message = await this.log.message(id, seq);
    // A message that has changed again since is published once, with its last change.
    if (message && message.change_seq === change_seq) this.publisher.to(memberIds)?.emit(event, message);
  }

  private publishRead({ id, memberIds }: ChatSnapshot, read: Extract<LoggedChange, { kind: 'read' }>): void {
    const { message_id, reader_id, is_read, seq, user_ids } = read;
    const receipt = ReadReceiptDto.of(id, reader_id, { id: message_id, seq }, is_read);
    const members = new Set(memberIds);
    this.publisher.publishRead({ receipt, userIds: user_ids.filter((userId) => members.has(userId)) });
  }
}
