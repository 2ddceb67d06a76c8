import { Injectable } from '@nestjs/common';
import { Chat } from '../chats/chat.entity.js';
import { ChatMember } from '../chats/chat-member.entity.js';
import type { Role } from '../contract/chats.js';
import { Group } from '../chats/group.entity.js';
import { UnitOfWork } from '../database/unit-of-work.js';

/** Changes of groups. Each runs under the chat's lock, so plain arithmetic on counters is safe; `ChatOutbox` records it. */
@Injectable()
export class GroupsRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Works the read mark out anew, as a member who is added or gone may have been the last to stand there. */
  private async refreshReadMark(chatId: number): Promise<void> {
    await this.unitOfWork.manager.query(
      `UPDATE chats SET read_by_all_seq =
         (SELECT coalesce(min(last_read_seq), 0) FROM chat_members WHERE chat_id = $1) WHERE id = $1`,
      [chatId],
    );
  }

  async rename(chatId: number, name: string): Promise<void> {
    await this.unitOfWork.repository(Group).update({ chatId }, { name });
  }

  /** A newcomer has the whole history behind them: the cursor starts at `lastSeq`. */
  async add(chatId: number, userId: number, lastSeq: number): Promise<void> {
    await this.unitOfWork.repository(ChatMember).insert({ chatId, userId, role: 'member', lastReadSeq: lastSeq });
    await this.unitOfWork.repository(Group).increment({ chatId }, 'memberCount', 1);
    await this.refreshReadMark(chatId);
  }

  /** Whoever has written there is remembered as a former member. */
  async remove(chatId: number, userId: number): Promise<void> {
    await this.unitOfWork.manager.query(
      `WITH gone AS (DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2 RETURNING *)
       INSERT INTO former_members (user_id, chat_id) SELECT user_id, chat_id FROM gone WHERE last_sent_seq > 0
       ON CONFLICT DO NOTHING`,
      [chatId, userId],
    );
    await this.unitOfWork.repository(Group).decrement({ chatId }, 'memberCount', 1);
    await this.refreshReadMark(chatId);
  }

  async setRole(chatId: number, userId: number, role: Role): Promise<void> {
    await this.unitOfWork.repository(ChatMember).update({ chatId, userId }, { role });
  }

  /** Who takes over from a leaving owner: the longest-standing admin, else member; undefined when nobody is left. */
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

  /** Empties the group and marks it; the row of the chat stays until its messages are removed. */
  async delete(chatId: number): Promise<void> {
    await this.unitOfWork.repository(ChatMember).delete({ chatId });
    await this.unitOfWork.repository(Group).delete({ chatId });
    await this.unitOfWork.repository(Chat).update({ id: chatId }, { deletedAt: new Date() });
  }
}
