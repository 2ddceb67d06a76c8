import { Injectable, Logger } from '@nestjs/common';
import { GroupDeleted } from '../chats/chat.events.js';
import type { Chat } from '../chats/chat.entity.js';
import { ChatOutbox } from '../chats/chat.outbox.js';
import type { ChatMember } from '../chats/chat-member.entity.js';
import type { Role } from '../contract/chats.js';
import { ChatWriter } from '../chats/chat.writer.js';
import { ChatsService } from '../chats/chats.service.js';
import type { CreateGroupDto } from '../chats/dto/chat-input.dto.js';
import type { ChatDto, ChatWithMembersDto } from '../chats/dto/chat.dto.js';
import type { MemberDto } from '../chats/dto/member.dto.js';
import { AppError } from '../common/errors/app-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { UsersService } from '../users/users.service.js';
import { GroupsRepository } from './groups.repository.js';

const RANK: Record<Role, number> = { member: 0, admin: 1, owner: 2 };

/**
 * Groups and who is in them. Every method throws `group_not_found` to whoever isn't a member, `not_a_group` for a private
 * chat of the caller's, and `forbidden` to a member without the role.
 */
@Injectable()
export class GroupsService {
  private readonly logger = new Logger(GroupsService.name);

  constructor(
    private readonly groups: GroupsRepository,
    private readonly chats: ChatsService,
    private readonly writer: ChatWriter,
    private readonly outbox: ChatOutbox,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** @throws AppError `user_not_found` */
  async create(userId: number, body: CreateGroupDto): Promise<ChatDto> {
    return (await this.chats.createGroup(userId, body)).chat;
  }

  /** A private chat is no group, to read: `group_not_found`. */
  async get(groupId: number, userId: number): Promise<ChatWithMembersDto> {
    await this.chats.requireMember(groupId, userId, 'group_not_found');
    const chat = await this.chats.get(groupId, userId);
    if (chat.type !== 'group') throw new AppError('group_not_found');
    return chat;
  }

  /** Owner or admin. */
  async rename(groupId: number, userId: number, name: string): Promise<ChatDto> {
    const chat = await this.change(groupId, userId, 'admin', async () => {
      const { name: present } = await this.chats.view(groupId, userId);
      if (present !== name) {
        await this.groups.rename(groupId, name);
        await this.outbox.record(groupId, { kind: 'renamed' });
      }
      return this.chats.view(groupId, userId);
    });
    this.logger.log({ event: 'group.renamed', user_id: userId, chat_id: groupId });
    return chat;
  }

  /** Owner. From the commit on, the group and its messages are gone for everyone. */
  async delete(groupId: number, userId: number): Promise<void> {
    await this.change(groupId, userId, 'owner', () => this.dissolve(groupId));
    this.logger.log({ event: 'group.deleted', user_id: userId, chat_id: groupId });
  }

  /** Owner or admin; a member who is added again stays as they are. @throws AppError `user_not_found` */
  async addMember(groupId: number, actorId: number, userId: number): Promise<MemberDto> {
    const member = await this.change(groupId, actorId, 'admin', async (_, { lastSeq }) => {
      const present = await this.chats.member(groupId, userId);
      if (present) return present;
      await this.users.requireAll([userId]);
      await this.groups.add(groupId, userId, lastSeq);
      const added = (await this.chats.member(groupId, userId))!;
      await this.outbox.record(groupId, { kind: 'member_added', member: added });
      return added;
    });
    this.logger.log({ event: 'group.member_added', user_id: actorId, chat_id: groupId, member_id: userId });
    return member;
  }

  /** Oneself: leave. Others: owner or admin, and of a lower rank than one's own. @throws AppError `user_not_found` */
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

  /** An owner hands over to the longest-standing admin, else member; the last one to leave deletes the group. */
  private async leave(groupId: number, userId: number): Promise<void> {
    await this.change(groupId, userId, 'member', async ({ role }) => {
      const successor = role === 'owner' ? await this.groups.successor(groupId) : undefined;
      if (role === 'owner' && successor === undefined) return this.dissolve(groupId);
      const member = (await this.chats.member(groupId, userId))!;
      // In this order, so that the one who left hears of nothing that came after.
      await this.takeOut(groupId, member);
      if (successor !== undefined) await this.assignRole(groupId, successor, 'owner');
    });
    this.logger.log({ event: 'group.left', user_id: userId, chat_id: groupId });
  }

  /** Owner. `owner` hands the group over and leaves the old owner an admin; a group is never without an owner. @throws AppError `user_not_found` */
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

  /** A write to a group by a member of at least this role, checked under the chat's lock. */
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

  private async dissolve(groupId: number): Promise<void> {
    const everybody = await this.chats.memberIds(groupId);
    await this.groups.delete(groupId);
    await this.outbox.recordLife(groupId, 'deleted', everybody);
    this.unitOfWork.publish(new GroupDeleted(groupId));
  }
}
