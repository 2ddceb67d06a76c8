import type { ChatDto } from './dto/chat.dto.js';
import type { MemberDto } from './dto/member.dto.js';

/** What happened to chats and memberships, published after the commit; each says who has to hear of it. */

/** People are in a chat that they were not in before; each sees it in their own way. */
export class ChatJoined {
  constructor(readonly views: readonly { readonly userId: number; readonly chat: ChatDto }[]) {}
}

/** What all members see of a chat has changed. */
export class ChatUpdated {
  constructor(
    readonly chat: Pick<ChatDto, 'id' | 'name' | 'creator_id' | 'member_count'>,
    readonly userIds: readonly number[],
  ) {}
}

/** These people are no longer in the chat. */
export class ChatLeft {
  constructor(
    readonly chatId: number,
    readonly userIds: readonly number[],
  ) {}
}

/** A group is gone; what is left of it can be removed. */
export class GroupDeleted {
  constructor(readonly chatId: number) {}
}

export class MemberChanged {
  constructor(
    readonly change: 'added' | 'removed' | 'updated',
    readonly chatId: number,
    readonly member: MemberDto,
    readonly userIds: readonly number[],
  ) {}
}
