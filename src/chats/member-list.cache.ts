import { Injectable } from '@nestjs/common';
import { type MemberList, MembersRepository } from './members.repository.js';

/** Lists in the cache; the least recently used one is dropped first. A list of 10,000 members takes 80 KB. */
const MAX_LISTS = 100;

/**
 * A cache of the member lists of large chats (more than 300 members). Reading such a list with each message would be
 * most of the work of a message. A list has a version, the chat's `members_seq`: callers pass the version that they
 * need, so a list from before a change of membership isn't used. `ChatFeed`, `UnpublishedChatsReader` and
 * `TypingService` use it.
 */
@Injectable()
export class MemberListCache {
  private readonly lists = new Map<number, MemberList>();

  constructor(private readonly members: MembersRepository) {}

  /** The cached members, as of `version` or later; undefined when they have to be loaded. */
  get(chatId: number, version: number): readonly number[] | undefined {
    const list = this.lists.get(chatId);
    if (!list || list.version < version) return undefined;
    this.keep(chatId, list);
    return list.userIds;
  }

  /** The members as of `version` or later, read from the database when the cache doesn't have them. */
  async load(chatId: number, version: number): Promise<readonly number[]> {
    const cached = this.get(chatId, version);
    if (cached) return cached;
    const list = await this.members.memberList(chatId);
    this.keep(chatId, list);
    return list.userIds;
  }

  /** Stores a list as the most recently used one. */
  private keep(chatId: number, list: MemberList): void {
    this.lists.delete(chatId);
    this.lists.set(chatId, list);
    if (this.lists.size > MAX_LISTS) this.lists.delete(this.lists.keys().next().value!);
  }
}
