import { Injectable, Logger } from '@nestjs/common';
import { AdditionsService } from '../chats/additions.service.js';
import { GroupDeleted } from '../chats/chat.events.js';
import type { Chat } from '../chats/chat.entity.js';
import { ChatOutbox } from '../chats/chat.outbox.js';
import type { ChatMember } from '../chats/chat-member.entity.js';
import type { Role } from '../contract/chats.js';
import { ChatWriter } from '../chats/chat.writer.js';
import { ChatsService } from '../chats/chats.service.js';
import type { CreateGroupDto } from '../chats/dto/chat-input.dto.js';
import type { ChatDto, ChatWithMembersDto, NewGroupDto } from '../chats/dto/chat.dto.js';
import type { MemberDto } from '../chats/dto/member.dto.js';
import { AppError } from '../common/errors/app-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { GroupsRepository } from './groups.repository.js';

/** Who may do what: a role includes all lower ones. */
const RANK: Record<Role, number> = { member: 0, admin: 1, owner: 2 };

/**
 * Groups and their members, for `GroupsController` and `ErasureSweeper`. Each write runs under the chat's lock
 * (`change`), which also checks the caller's role, and records its change in `ChatOutbox`.
 *
 * Every method but `create` throws `group_not_found` when the caller isn't a member. Every write throws `not_a_group`
 * for a private chat of the caller's, and `forbidden` when the caller's role isn't enough.
 */
@Injectable()
export class GroupsService {
  private readonly logger = new Logger(GroupsService.name);

  constructor(
    private readonly groups: GroupsRepository,
    private readonly chats: ChatsService,
    private readonly writer: ChatWriter,
    private readonly outbox: ChatOutbox,
    private readonly additions: AdditionsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Makes a group; the caller is its owner. @throws AppError as `AdditionsService.takeForGroup` does */
  async create(userId: number, body: CreateGroupDto): Promise<NewGroupDto> {
    return (await this.chats.createGroup(userId, body)).chat;
  }

  /** The group with its first 100 members. @throws AppError `group_not_found`, also for a private chat */
  async get(groupId: number, userId: number): Promise<ChatWithMembersDto> {
    const chat = await this.chats.get(groupId, userId, 'group_not_found');
    if (chat.type !== 'group') throw new AppError('group_not_found');
    return chat;
  }

  /** Renames the group. Owner or admin. */
  async rename(groupId: number, userId: number, name: string): Promise<ChatDto> {
    const chat = await this.change(groupId, userId, 'admin', async () => {
      const { name: current } = await this.chats.view(groupId, userId);
      if (current !== name) {
        await this.groups.rename(groupId, name);
        await this.outbox.record(groupId, { kind: 'renamed' });
      }
      return this.chats.view(groupId, userId);
    });
    this.logger.log({ event: 'group.renamed', user_id: userId, chat_id: groupId });
    return chat;
  }

  /** Deletes the group. Owner. From the commit on, the group and its messages are gone for everyone. */
  async delete(groupId: number, userId: number): Promise<void> {
    await this.change(groupId, userId, 'owner', () => this.dissolve(groupId));
    this.logger.log({ event: 'group.deleted', user_id: userId, chat_id: groupId });
  }

  /**
   * Adds a member, and changes nothing for one who is in already. Owner or admin.
   * @throws AppError as `AdditionsService.takeForMember` does
   */
  async addMember(groupId: number, actorId: number, userId: number): Promise<MemberDto> {
    const member = await this.change(groupId, actorId, 'admin', async (_, chat) => {
      const present = await this.chats.member(groupId, userId);
      if (present) return present;
      await this.additions.takeForMember(actorId, userId, await this.groups.memberCount(groupId));
      await this.groups.add(chat, userId);
      const added = (await this.chats.member(groupId, userId))!;
      await this.outbox.record(groupId, { kind: 'member_added', member: added });
      return added;
    });
    this.logger.log({ event: 'group.member_added', user_id: actorId, chat_id: groupId, member_id: userId });
    return member;
  }

  /**
   * Removes a member, who must have a lower role than the owner or admin who does it; or leaves, when it is the caller.
   * @throws AppError `user_not_found`
   */
  async removeMember(groupId: number, actorId: number, userId: number): Promise<void> {
    if (actorId === userId) return this.leave(groupId, userId);
    await this.change(groupId, actorId, 'admin', async (actor) => {
      const member = await this.chats.member(groupId, userId);
      if (!member) throw new AppError('user_not_found');
      if (RANK[member.role] >= RANK[actor.role]) throw new AppError('forbidden');
      await this.takeOut(groupId, member);
    });
    this.logger.log({ event: 'group.member_removed', user_id: actorId, chat_id: groupId, member_id: userId });
  }

  /**
   * An owner who leaves hands over to the longest-standing admin, else member. When the last member leaves, the group
   * is deleted.
   */
  private async leave(groupId: number, userId: number): Promise<void> {
    await this.change(groupId, userId, 'member', async ({ role }) => {
      const successor = role === 'owner' ? await this.groups.successor(groupId) : undefined;
      if (role === 'owner' && successor === undefined) return this.dissolve(groupId);
      const member = (await this.chats.member(groupId, userId))!;
      // The removal first, so that the one who left isn't notified of the new owner.
      await this.takeOut(groupId, member);
      if (successor !== undefined) await this.assignRole(groupId, successor, 'owner');
    });
    this.logger.log({ event: 'group.left', user_id: userId, chat_id: groupId });
  }

  /**
   * Sets a member's role. Owner. The role `owner` hands the group over, and the old owner becomes an admin: a group
   * always has one owner.
   * @throws AppError `user_not_found`
   */
  async setRole(groupId: number, actorId: number, userId: number, role: Role): Promise<MemberDto> {
    const member = await this.change(groupId, actorId, 'owner', async () => {
      const current = await this.chats.member(groupId, userId);
      if (!current) throw new AppError('user_not_found');
      if (current.role === role) return current;
      if (userId === actorId) throw new AppError('forbidden', 'Hand the group over first.');
      if (role === 'owner') await this.assignRole(groupId, actorId, 'admin');
      return this.assignRole(groupId, userId, role);
    });
    this.logger.log({ event: 'group.role_changed', user_id: actorId, chat_id: groupId, member_id: userId, role });
    return member;
  }

  /** Runs a write to a group. Membership and role (`atLeast`) are checked under the chat's lock. */
  private change<T>(
    groupId: number,
    actorId: number,
    atLeast: Role,
    work: (actor: ChatMember, chat: Chat) => Promise<T>,
  ): Promise<T> {
    return this.writer.write(groupId, async (chat) => {
      const actor = await this.chats.requireMember(groupId, actorId, 'group_not_found');
      if (!chat || chat.type !== 'group') throw new AppError('not_a_group');
      if (RANK[actor.role] < RANK[atLeast]) throw new AppError('forbidden');
      return work(actor, chat);
    });
  }

  private async takeOut(groupId: number, member: MemberDto): Promise<void> {
    await this.groups.remove(groupId, member.user_id);
    await this.outbox.record(groupId, { kind: 'member_removed', member });
  }

  private async assignRole(groupId: number, userId: number, role: Role): Promise<MemberDto> {
    await this.groups.setRole(groupId, userId, role);
    const member = (await this.chats.member(groupId, userId))!;
    await this.outbox.record(groupId, { kind: 'member_updated', member });
    return member;
  }

  /** Deletes the group. `DeletedChatsSweeper` removes its messages after the commit. */
  private async dissolve(groupId: number): Promise<void> {
    const everybody = await this.chats.memberIds(groupId);
    await this.groups.delete(groupId);
    await this.outbox.recordLife(groupId, 'deleted', everybody);
    this.unitOfWork.publish(new GroupDeleted(groupId));
  }
}
