import { Injectable } from '@nestjs/common';
import { Chat } from '../chats/chat.entity.js';
import { ChatMember } from '../chats/chat-member.entity.js';
import { FormerMember } from '../chats/former-member.entity.js';
import type { Role } from '../contract/chats.js';
import { Group } from '../chats/group.entity.js';
import { UnitOfWork } from '../database/unit-of-work.js';

/**
 * The writes to groups. `GroupsService` calls them under the chat's lock, so the counters can be changed by plain
 * arithmetic, and records each change in `ChatOutbox`.
 */
@Injectable()
export class GroupsRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Recomputes the read mark, the smallest cursor of the members: a member who joins or leaves may change it. */
  private async refreshReadMark(chatId: number): Promise<void> {
    await this.unitOfWork.manager.query(
      `UPDATE chats SET read_by_all_seq =
         (SELECT coalesce(min(last_read_seq), 0) FROM chat_members WHERE chat_id = $1) WHERE id = $1`,
      [chatId],
    );
  }

  /** How many members the group has. */
  async memberCount(chatId: number): Promise<number> {
    return (await this.unitOfWork.repository(Group).findOneByOrFail({ chatId })).memberCount;
  }

  /** Sets the group's name. */
  async rename(chatId: number, name: string): Promise<void> {
    await this.unitOfWork.repository(Group).update({ chatId }, { name });
  }

  /** Adds a member whose cursor starts at the end of the chat: the history counts as read. */
  async add({ id: chatId, lastSeq: lastReadSeq, lastActivityAt: activeAt }: Chat, userId: number): Promise<void> {
    await this.unitOfWork.repository(ChatMember).insert({ chatId, userId, role: 'member', lastReadSeq, activeAt });
    await this.unitOfWork.repository(FormerMember).update({ userId, chatId }, { changeSeq: 0 });
    await this.unitOfWork.repository(Group).increment({ chatId }, 'memberCount', 1);
    await this.refreshReadMark(chatId);
  }

  /** Removes a member, and keeps them as a former one, with whether they wrote. */
  async remove(chatId: number, userId: number): Promise<void> {
    await this.unitOfWork.manager.query(
      `WITH gone AS (DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2 RETURNING *)
       INSERT INTO former_members AS f (user_id, chat_id, wrote) SELECT user_id, chat_id, last_sent_seq > 0 FROM gone
       ON CONFLICT (user_id, chat_id) DO UPDATE SET wrote = f.wrote OR excluded.wrote`,
      [chatId, userId],
    );
    await this.unitOfWork.repository(Group).decrement({ chatId }, 'memberCount', 1);
    await this.refreshReadMark(chatId);
  }

  /** Sets a member's role. */
  async setRole(chatId: number, userId: number, role: Role): Promise<void> {
    await this.unitOfWork.repository(ChatMember).update({ chatId, userId }, { role });
  }

  /** The next owner when the owner leaves: the longest-standing admin, else member; undefined when nobody is left. */
  async successor(chatId: number): Promise<number | undefined> {
    const member = await this.unitOfWork
      .repository(ChatMember)
      .createQueryBuilder('member')
      .where('member.chatId = :chatId AND member.role <> :owner', { chatId, owner: 'owner' })
      .orderBy(`CASE member.role WHEN 'admin' THEN 0 ELSE 1 END`)
      .addOrderBy('member.joinedAt')
      .addOrderBy('member.userId')
      .limit(1)
      .getOne();
    return member?.userId;
  }

  /**
   * Removes the members and the group, and sets `deleted_at`. The row of the chat stays until its messages are removed.
   */
  async delete(chatId: number): Promise<void> {
    await this.unitOfWork.repository(ChatMember).delete({ chatId });
    await this.unitOfWork.repository(Group).delete({ chatId });
    await this.unitOfWork.repository(Chat).update({ id: chatId }, { deletedAt: () => 'now()' });
  }
}
