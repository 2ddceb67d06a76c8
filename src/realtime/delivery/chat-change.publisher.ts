import { Injectable } from '@nestjs/common';
import { ChatsService } from '../../chats/chats.service.js';
import type { MemberDto } from '../../chats/dto/member.dto.js';
import { type Head, type LoggedChange, LogReader } from '../../messages/log.reader.js';
import type { ChatSummary } from '../contract.js';
import { RealtimePublisher } from '../realtime.publisher.js';

/** Who is in a chat as of `head`, which is missing when the chat is gone. */
export interface ToldChat {
  readonly id: number;
  readonly head: Head | undefined;
  readonly memberIds: readonly number[];
}

/** Says to the devices on this node what a row of `chat_changes` stands for, as the chat is by now. */
@Injectable()
export class ChangePublisher {
  constructor(
    private readonly publisher: RealtimePublisher,
    private readonly chats: ChatsService,
    private readonly log: LogReader,
  ) {}

  async tell(chat: ToldChat, change: LoggedChange): Promise<void> {
    switch (change.kind) {
      case 'created':
        await this.tellNewcomers(chat, change.user_ids);
        break;
      case 'deleted':
        this.tellGone(chat, change.user_ids);
        break;
      case 'renamed':
        this.tellSummary(chat);
        break;
      case 'member_added':
        await this.tellNewcomers(chat, [change.member.user_id]);
        this.tellMember(chat, 'member:added', change.member);
        this.tellSummary(chat);
        break;
      case 'member_removed':
        this.tellRemoval(chat, change.member);
        break;
      case 'member_updated':
        this.tellMember(chat, 'member:updated', change.member);
        break;
      case 'message_updated':
        await this.tellMessage(chat, 'message:updated', change);
        break;
      case 'message_deleted':
        await this.tellMessage(chat, 'message:deleted', change);
        break;
      case 'read':
        this.tellRead(chat, change);
    }
  }

  private tellRemoval(chat: ToldChat, member: MemberDto): void {
    this.tellGone(chat, [member.user_id]);
    // They may be in it again by now; that is told next.
    const remaining = { ...chat, memberIds: chat.memberIds.filter((userId) => userId !== member.user_id) };
    this.tellMember(remaining, 'member:removed', member);
    this.tellSummary(remaining);
  }

  private async tellNewcomers({ id }: ToldChat, userIds: readonly number[]): Promise<void> {
    const here = userIds.filter((userId) => this.publisher.isHere(userId));
    const views = here.length > 0 ? await this.chats.viewsFor(id, here) : [];
    for (const { userId, chat } of views) this.publisher.to([userId])?.emit('chat:created', chat);
  }

  private tellGone({ id }: ToldChat, userIds: readonly number[]): void {
    this.publisher.to(userIds)?.emit('chat:removed', { chat_id: id });
  }

  private tellSummary({ head, memberIds }: ToldChat): void {
    // Without a name, the group is gone by now.
    if (!head?.name) return;
    const summary: ChatSummary = {
      id: head.chat_id,
      name: head.name,
      creator_id: head.creator_id,
      member_count: head.member_count!,
    };
    this.publisher.to(memberIds)?.emit('chat:updated', summary);
  }

  private tellMember(
    { id, memberIds }: ToldChat,
    event: `member:${'added' | 'removed' | 'updated'}`,
    member: MemberDto,
  ) {
    this.publisher.to(memberIds)?.emit(event, { chat_id: id, member });
  }

  private async tellMessage(
    { id, memberIds }: ToldChat,
    event: 'message:updated' | 'message:deleted',
    { seq, change_seq }: Extract<LoggedChange, { seq: number }>,
  ): Promise<void> {
    const message = await this.log.message(id, seq);
    // Otherwise it has changed again since, and that change tells of both.
    if (message && message.change_seq === change_seq) this.publisher.to(memberIds)?.emit(event, message);
  }

  private tellRead({ id, memberIds }: ToldChat, read: Extract<LoggedChange, { kind: 'read' }>): void {
    const { message_id, reader_id, is_read, seq, user_ids } = read;
    const receipt = { type: 'read_receipt' as const, message_id, chat_id: id, reader_id, is_read, seq };
    const members = new Set(memberIds);
    this.publisher.tellRead({ receipt, userIds: user_ids.filter((userId) => members.has(userId)) });
  }
}
