import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { type Audience, FEW_MEMBER_IDS } from './audience.js';
import { ChatMember } from './chat-member.entity.js';
import { type JsonMemberRow, type MemberChanges, memberPage, type MemberRow, memberRowOf } from './dto/member.dto.js';

/** The ids of all members of a chat; `version` is its `members_seq` at the time of reading. */
export interface MemberList {
  readonly version: number;
  readonly userIds: readonly number[];
}

/**
 * Reads of `chat_members`, and the names that chats were told. `ChatsRepository` (new chats), `GroupsRepository`,
 * `ChatOutbox` and the SQL functions write the rest of the table.
 */
@Injectable()
export class MembersRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** The membership, or null when the user isn't in the chat. */
  find(chatId: number, userId: number): Promise<ChatMember | null> {
    return this.unitOfWork.repository(ChatMember).findOneBy({ chatId, userId });
  }

  /** The ids of all members. */
  async ids(chatId: number): Promise<number[]> {
    const rows: { user_id: number }[] = await this.unitOfWork.manager.query(
      'SELECT user_id FROM chat_members WHERE chat_id = $1',
      [chatId],
    );
    return rows.map(({ user_id }) => user_id);
  }

  /** The ids of all members with the version of the list, read by one statement. Empty when the chat doesn't exist. */
  async memberList(chatId: number): Promise<MemberList> {
    const rows: { version: number; user_ids: number[] }[] = await this.unitOfWork.manager.query(
      `SELECT c.members_seq AS version, array(SELECT m.user_id FROM chat_members m WHERE m.chat_id = c.id) AS user_ids
       FROM chats c WHERE c.id = $1`,
      [chatId],
    );
    return { version: rows[0]?.version ?? 0, userIds: rows[0]?.user_ids ?? [] };
  }

  /** Who receives a typing notice in the chat: nobody when it is blocked. Undefined when the user isn't a member. */
  async audience(chatId: number, userId: number): Promise<Audience | undefined> {
    const rows: Audience[] = await this.unitOfWork.manager.query(
      `SELECT c.members_seq, CASE WHEN c.blocked THEN '{}' ELSE ${FEW_MEMBER_IDS} END AS member_ids
       FROM chats c JOIN chat_members me ON me.chat_id = c.id AND me.user_id = $2 WHERE c.id = $1`,
      [chatId, userId],
    );
    return rows[0];
  }

  /** A page of the members in the order they joined; undefined when `viewerId` isn't one of them. One statement. */
  async list(chatId: number, viewerId: number, limit: number, offset: number): Promise<MemberRow[] | undefined> {
    const rows: (MemberRow | { user_id: null })[] = await this.unitOfWork.manager.query(
      `SELECT page.* FROM chat_members me LEFT JOIN LATERAL (${memberPage('me.chat_id', '$3', '$4')}) page ON true
       WHERE me.chat_id = $1 AND me.user_id = $2 ORDER BY page.joined_at, page.user_id`,
      [chatId, viewerId, limit, offset],
    );
    // A member gets one row, of nulls, for an empty page.
    return rows.length > 0 ? rows.filter((row) => row.user_id !== null) : undefined;
  }

  /** One member, with the name. */
  async row(chatId: number, userId: number): Promise<MemberRow | undefined> {
    const rows: MemberRow[] = await this.unitOfWork.manager.query(memberPage('$1', '1', '0', 'm.user_id = $2'), [
      chatId,
      userId,
    ]);
    return rows[0];
  }

  /**
   * For each of these chats that `viewerId` is in: the members who joined or changed after its `change_seq` `since`, and
   * the users who left after it, each up to `limit`. One statement.
   */
  async changedSince(
    viewerId: number,
    chats: readonly { id: number; since: number }[],
    limit: number,
  ): Promise<MemberChanges[]> {
    const rows: (Omit<MemberChanges, 'members'> & { members: JsonMemberRow[] })[] = await this.unitOfWork.manager.query(
      `SELECT p.chat_id, array(
         SELECT f.user_id FROM former_members f WHERE f.chat_id = p.chat_id AND f.change_seq > p.since
         ORDER BY f.change_seq LIMIT $4
       ) AS left_user_ids, (
         SELECT coalesce(json_agg(json_build_object('user_id', m.user_id, 'name', u.name, 'role', m.role,
           'joined_at', m.joined_at, 'last_read_seq', m.last_read_seq)), '[]')
         FROM (
           SELECT * FROM chat_members c WHERE c.chat_id = p.chat_id AND c.change_seq > p.since AND c.change_seq > 0
           ORDER BY c.change_seq LIMIT $4
         ) m CROSS JOIN LATERAL (SELECT name FROM users WHERE id = m.user_id LIMIT 1) u
       ) AS members
       FROM unnest($2::bigint[], $3::bigint[]) AS p(chat_id, since)
       JOIN chat_members me ON me.chat_id = p.chat_id AND me.user_id = $1`,
      [viewerId, chats.map(({ id }) => id), chats.map(({ since }) => since), limit],
    );
    return rows.map((row) => ({ ...row, members: row.members.map(memberRowOf) }));
  }

  /** The chats above `afterId` of the user that were told an older name than that of `version`, by id. */
  async chatsToTell(userId: number, version: number, afterId: number, limit: number): Promise<number[]> {
    const rows: { chat_id: number }[] = await this.unitOfWork.manager.query(
      `SELECT chat_id FROM chat_members WHERE user_id = $1 AND chat_id > $3 AND name_version < $2
       ORDER BY chat_id LIMIT $4`,
      [userId, version, afterId, limit],
    );
    return rows.map(({ chat_id }) => chat_id);
  }

  /**
   * Notes that the chat is told the user's newest name; returns whether it had an older one. Call it under the chat's
   * lock.
   */
  async takeName(chatId: number, userId: number): Promise<boolean> {
    const [, count]: [unknown, number] = await this.unitOfWork.manager.query(
      `UPDATE chat_members m SET name_version = u.name_version FROM users u
       WHERE m.chat_id = $1 AND m.user_id = $2 AND u.id = m.user_id AND m.name_version < u.name_version`,
      [chatId, userId],
    );
    return count === 1;
  }

  /** The read mark: every member has read up to this `seq`. 0 when the chat doesn't exist. */
  async readByAllSeq(chatId: number): Promise<number> {
    const rows: { seq: number }[] = await this.unitOfWork.manager.query(
      'SELECT read_by_all_seq AS seq FROM chats WHERE id = $1',
      [chatId],
    );
    return rows[0]?.seq ?? 0;
  }
}
