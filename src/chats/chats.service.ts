import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';
import { eachOf } from '../common/pagination.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Audience } from './audience.js';
import { AdditionsService } from './additions.service.js';
import { BlocksRepository } from './blocks.repository.js';
import { ChatOutbox } from './chat.outbox.js';
import type { ChatMember } from './chat-member.entity.js';
import { type ActivityCursor, type ChatCursor, ChatsRepository, MOVED_AT_ONCE, pairOf } from './chats.repository.js';
import { type CreateGroupChatDto, CreateGroupDto, type CreatePrivateChatDto } from './dto/chat-input.dto.js';
import { ChatDto, type ChatWithMembersDto, type MembershipRow, type NewGroupDto } from './dto/chat.dto.js';
import { type MemberChanges, MemberDto } from './dto/member.dto.js';
import { MembersRepository } from './members.repository.js';

/** Members in the answer to `GET /chats/{id}`. */
const MEMBERS_SHOWN = 100;
/** Rows read from the database at once. */
const PAGE = 100;

/**
 * Chats as their members see them, and who is a member. Controllers, the gateway and the other features ask it;
 * `groups` changes groups. Methods that take no `userId` to check, such as `memberIds`, are for callers that have
 * checked access.
 */
@Injectable()
export class ChatsService {
  private readonly logger = new Logger(ChatsService.name);

  constructor(
    private readonly chats: ChatsRepository,
    private readonly members: MembersRepository,
    private readonly additions: AdditionsService,
    private readonly blocks: BlocksRepository,
    private readonly outbox: ChatOutbox,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * The check that a user is in a chat; every feature uses it.
   * @throws AppError `code` when the chat doesn't exist or the user isn't a member
   */
  async requireMember(
    chatId: number,
    userId: number,
    code: 'chat_not_found' | 'group_not_found' | 'message_not_found' = 'chat_not_found',
  ): Promise<ChatMember> {
    const member = await this.members.find(chatId, userId);
    if (!member) throw new AppError(code);
    return member;
  }

  /**
   * Makes a chat, or finds the private chat that the two already have. It may be a chat with oneself, of one member.
   * @throws AppError `user_not_found`, `blocked`, `limit_reached`, `rate_limited`
   */
  create(
    userId: number,
    body: CreatePrivateChatDto | CreateGroupChatDto,
  ): Promise<{ chat: ChatDto; created: boolean }> {
    return body.type === 'private' ? this.openPrivate(userId, body.user_id) : this.createGroup(userId, body);
  }

  /**
   * Makes a group; the caller is its owner. Whom the caller can't add is left out.
   * @throws AppError as `AdditionsService.takeForGroup` does
   */
  async createGroup(
    userId: number,
    { name, member_ids = [] }: CreateGroupDto,
  ): Promise<{ chat: NewGroupDto; created: boolean }> {
    const wanted = [...new Set(member_ids)].filter((id) => id !== userId);
    const chat = await this.unitOfWork.run(async (): Promise<NewGroupDto> => {
      const left_out_ids = await this.additions.takeForGroup(userId, wanted);
      const others = wanted.filter((id) => !left_out_ids.includes(id));
      const chatId = await this.chats.createGroup(userId, name, others);
      const made = await this.announce(chatId, [userId, ...others], userId);
      return left_out_ids.length > 0 ? { ...made, left_out_ids } : made;
    });
    this.logger.log({ event: 'group.created', user_id: userId, chat_id: chat.id, member_count: chat.member_count });
    return { chat, created: true };
  }

  private async openPrivate(userId: number, otherId: number): Promise<{ chat: ChatDto; created: boolean }> {
    const pair = pairOf(userId, otherId);
    const chat = await this.unitOfWork.run(async () => {
      await this.chats.lockPair(...pair);
      if (await this.chats.findPrivate(...pair)) return undefined;
      await this.additions.takeForPrivate(userId, pair);
      if (await this.blocks.existsBetween(...pair)) throw new AppError('blocked');
      const chatId = await this.chats.createPrivate(userId, ...pair);
      return chatId === undefined ? undefined : this.announce(chatId, [...new Set(pair)], userId);
    });
    // They had one already, or a racing call made it. That call has committed, as this one waited for its lock.
    if (!chat) return { chat: await this.view((await this.chats.findPrivate(...pair))!, userId), created: false };
    this.logger.log({ event: 'chat.created', user_id: userId, chat_id: chat.id });
    return { chat, created: true };
  }

  /** Records the new chat in the outbox; returns it as the creator sees it. */
  private async announce(chatId: number, userIds: readonly number[], viewerId: number): Promise<ChatDto> {
    await this.outbox.recordLife(chatId, 'created', userIds);
    return this.view(chatId, viewerId);
  }

  /** The chat as each of these members sees it. */
  async viewsFor(chatId: number, userIds: readonly number[]): Promise<{ userId: number; chat: ChatDto }[]> {
    const rows = await this.chats.views(chatId, userIds);
    return rows.map((row) => ({ userId: row.my_user_id, chat: ChatDto.of(row) }));
  }

  /** The chat as a member sees it. @throws AppError `chat_not_found` */
  async view(chatId: number, userId: number): Promise<ChatDto> {
    const [view] = await this.viewsFor(chatId, [userId]);
    if (!view) throw new AppError('chat_not_found');
    return view.chat;
  }

  /** The chat with its first 100 members. @throws AppError `code` when there is none or the user isn't a member */
  async get(
    chatId: number,
    userId: number,
    code: 'chat_not_found' | 'group_not_found' = 'chat_not_found',
  ): Promise<ChatWithMembersDto> {
    const view = await this.chats.viewWithMembers(chatId, userId, MEMBERS_SHOWN);
    if (!view) throw new AppError(code);
    return { ...ChatDto.of(view.chat), members: view.members.map((row) => MemberDto.of(row)) };
  }

  /** The user's chats, latest activity first; `before` is an `activity_cursor`. */
  async list(userId: number, limit: number, before: string | undefined): Promise<ChatDto[]> {
    const rows = await this.chats.listViews(userId, limit, before === undefined ? undefined : parseCursor(before));
    return rows.map((row) => ChatDto.of(row));
  }

  /**
   * For sync: the user's chats above `afterId`, by id, that differ from the cursors; and the chats with a cursor that
   * the user isn't in (any more).
   */
  async changedSince(
    userId: number,
    cursors: ReadonlyMap<number, ChatCursor>,
    afterId: number,
    limit: number,
  ): Promise<{ chats: ChatDto[]; removedIds: number[] }> {
    const { chats, removedIds } = await this.chats.changedViews(userId, cursors, afterId, limit);
    return { chats: chats.map((row) => ChatDto.of(row)), removedIds };
  }

  /**
   * For sync: for each of these chats that the user is in, the members who joined or changed after its `change_seq`
   * `since`, and who left, each up to `limit`.
   */
  membersChangedSince(
    userId: number,
    chats: readonly { id: number; since: number }[],
    limit: number,
  ): Promise<MemberChanges[]> {
    return this.members.changedSince(userId, chats, limit);
  }

  /**
   * Moves these chats to the place of their newest message in the lists of all their members. Returns those of which
   * some member may still be behind.
   */
  async recordActivity(chatIds: readonly number[]): Promise<number[]> {
    const behind = new Set<number>();
    let moved;
    do {
      moved = await this.chats.recordActivity(chatIds);
      for (const chatId of moved.chatIds) behind.add(chatId);
    } while (moved.count >= MOVED_AT_ONCE);
    return [...behind];
  }

  /** The user's memberships in chats above `afterId`, by id. */
  memberships(userId: number, afterId: number, limit: number): Promise<MembershipRow[]> {
    return this.chats.memberships(userId, afterId, limit);
  }

  /** The groups the user is in, by id. */
  groupsOf(userId: number): AsyncGenerator<number> {
    return eachOf((afterId) => this.chats.groupIds(userId, afterId, PAGE));
  }

  /** The chats that may have messages of the user, by id: those they are in, and the groups they have left. */
  writtenIn(userId: number): AsyncGenerator<number> {
    return eachOf((afterId) => this.chats.writtenInIds(userId, afterId, PAGE));
  }

  /** The members in the order they joined, for a member. @throws AppError `chat_not_found` */
  async listMembers(chatId: number, userId: number, limit: number, offset: number): Promise<MemberDto[]> {
    const rows = await this.members.list(chatId, userId, limit, offset);
    if (!rows) throw new AppError('chat_not_found');
    return rows.map((row) => MemberDto.of(row));
  }

  /** The ids of all members. */
  memberIds(chatId: number): Promise<number[]> {
    return this.members.ids(chatId);
  }

  /** One member, or undefined. */
  async member(chatId: number, userId: number): Promise<MemberDto | undefined> {
    const row = await this.members.row(chatId, userId);
    return row && MemberDto.of(row);
  }

  /** The read mark: every member has read up to this `seq`. */
  readByAllSeq(chatId: number): Promise<number> {
    return this.members.readByAllSeq(chatId);
  }

  /** Who receives a typing notice of this member: nobody in a blocked chat. @throws AppError `chat_not_found` */
  async audience(chatId: number, userId: number): Promise<Audience> {
    const audience = await this.members.audience(chatId, userId);
    if (!audience) throw new AppError('chat_not_found');
    return audience;
  }
}

/** The text of `ChatDto.activity_cursor`. @throws AppError `validation_failed` */
function parseCursor(cursor: string): ActivityCursor {
  const [activityMs, chatId] = cursor.split('-').map(Number) as [number, number];
  if (!Number.isSafeInteger(chatId)) throw AppError.invalidField('before', 'must be an activity_cursor');
  return { activityMs, chatId };
}
