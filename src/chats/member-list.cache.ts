import { Injectable } from '@nestjs/common';
import { type MemberList, MembersRepository } from './members.repository.js';

/** Lists kept, the least recently asked for leaving first; of 10,000 members, one takes 80 KB. */
const MAX_LISTS = 100;

/** Who is in a chat of many, kept in memory until that changes: read and sent with each message it would be most of the work. */
@Injectable()
export class MemberListCache {
  private readonly lists = new Map<number, MemberList>();

  constructor(private readonly members: MembersRepository) {}

  /** The members as of `version` or later; undefined if they have to be loaded. */
  get(chatId: number, version: number): readonly number[] | undefined {
    const list = this.lists.get(chatId);
    if (!list || list.version < version) return undefined;
    this.keep(chatId, list);
    return list.userIds;
  }

  /** The members as of `version` or later. */
  async load(chatId: number, version: number): Promise<readonly number[]> {
    const kept = this.get(chatId, version);
    if (kept) return kept;
    const list = await this.members.memberList(chatId);
    this.keep(chatId, list);
    return list.userIds;
  }

  private keep(chatId: number, list: MemberList): void {
    this.lists.delete(chatId);
    this.lists.set(chatId, list);
    if (this.lists.size > MAX_LISTS) this.lists.delete(this.lists.keys().next().value!);
  }
}
