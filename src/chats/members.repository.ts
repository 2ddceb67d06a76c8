import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { type Audience, FEW_MEMBER_IDS } from './audience.js';
import { ChatMember } from './chat-member.entity.js';
import { memberPage, type MemberRow } from './dto/member.dto.js';

/** The ids of all members of a chat; `version` is its `members_seq` at the time of reading. */
export interface MemberList {
  readonly version: number;
  readonly userIds: readonly number[];
}

/** Reads of `chat_members`. `ChatsRepository` (new chats), `GroupsRepository` and the SQL functions write the table. */
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

  /** The read mark: every member has read up to this `seq`. 0 when the chat doesn't exist. */
  async readByAllSeq(chatId: number): Promise<number> {
    const rows: { seq: number }[] = await this.unitOfWork.manager.query(
      'SELECT read_by_all_seq AS seq FROM chats WHERE id = $1',
      [chatId],
    );
    return rows[0]?.seq ?? 0;
  }
}
