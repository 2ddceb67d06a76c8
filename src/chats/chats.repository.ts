import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { Chat } from './chat.entity.js';
import { ChatMember } from './chat-member.entity.js';
import { Group } from './group.entity.js';
import { PrivateChat } from './private-chat.entity.js';
import type { ChatRow, MembershipRow } from './dto/chat.dto.js';
import { type JsonMemberRow, memberPage, type MemberRow, memberRowOf } from './dto/member.dto.js';
import { messageColumns, type Prefixed, prefixedMessage } from './dto/message.dto.js';

/**
 * SQL: joins each row of `members` with its chat `c`. The LIMIT makes the planner look chats up by their key, one by
 * one; without it the planner reads the whole table for somebody who is in some hundred chats.
 */
const chatOf = (members: string): string =>
  `CROSS JOIN LATERAL (SELECT * FROM chats WHERE id = ${members}.chat_id LIMIT 1) c`;

/**
 * SQL: a chat as a member sees it, for each row of `me`, which the query around it defines as rows of `chat_members`.
 * The columns of the last message start with `message_`.
 */
const CHAT_VIEW = `
  SELECT c.id, c.type, coalesce(g.name, other.name) AS name, c.creator_id, c.created_at,
         coalesce(g.member_count, other.member_count) AS member_count, me.role AS my_role, me.user_id AS my_user_id,
         c.last_seq, c.last_change_seq, me.last_read_seq, me.active_at,
         c.read_by_all_seq, other.id AS peer_id, other.name AS peer_name, other.created_at AS peer_created_at,
         ${messageColumns('last', 'message_')}
  FROM me
  ${chatOf('me')}
  LEFT JOIN groups g ON g.chat_id = c.id
  LEFT JOIN LATERAL (
    SELECT u.id, u.name, u.created_at, CASE p.low_user_id WHEN p.high_user_id THEN 1 ELSE 2 END AS member_count
    FROM private_chats p
    JOIN users u ON u.id = CASE me.user_id WHEN p.low_user_id THEN p.high_user_id ELSE p.low_user_id END
    WHERE p.chat_id = c.id LIMIT 1
  ) other ON true
  LEFT JOIN messages last ON last.chat_id = c.id AND last.seq = c.last_seq`;

/** SQL: the memberships in the chat $1 of those among the users $2 who are members. */
const AMONG = 'SELECT * FROM chat_members WHERE chat_id = $1 AND user_id = ANY($2)';

/** SQL: the memberships `m`, latest activity first. The index `chat_members_activity` has them in this order. */
const BY_ACTIVITY = 'ORDER BY m.active_at DESC, m.chat_id DESC';

/** Memberships that one statement of `recordActivity` moves. A sender among them waits for it. */
export const MOVED_AT_ONCE = 1_000;

/** Two user ids in the order of `private_chats`, the lower one first; twice the same for a chat with oneself. */
export const pairOf = (one: number, other: number): [low: number, high: number] =>
  one < other ? [one, other] : [other, one];

/** Where a page of chats starts: after the chat with this last activity, in milliseconds since 1970, and this id. */
export interface ActivityCursor {
  readonly activityMs: number;
  readonly chatId: number;
}

/** What a client has of a chat. `last_read_seq` and `read_by_all_seq` are compared only when they are given. */
export interface ChatCursor {
  readonly seq: number;
  readonly change_seq: number;
  readonly last_read_seq?: number;
  readonly read_by_all_seq?: number;
}

/**
 * The tables `chats`, `groups` and `private_chats`, and chats as their members see them (`ChatRow`). `ChatsService`
 * checks who may see what; the queries here take the user from their caller.
 */
@Injectable()
export class ChatsRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** The chat with its row locked until the transaction ends; null when there is none. */
  lock(id: number): Promise<Chat | null> {
    return this.unitOfWork.repository(Chat).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /** A page of the user's chats, latest activity first. It costs the page, however many chats there are. */
  async listViews(userId: number, limit: number, before: ActivityCursor | undefined): Promise<ChatRow[]> {
    const older = before ? `AND (m.active_at, m.chat_id) < (to_timestamp($3::float8 / 1000), $4::bigint)` : '';
    const me = `SELECT m.* FROM chat_members m WHERE m.user_id = $1 ${older} ${BY_ACTIVITY} LIMIT $2`;
    const parameters = before ? [userId, limit, before.activityMs, before.chatId] : [userId, limit];
    return this.queryViews(`WITH me AS (${me}) ${CHAT_VIEW} ORDER BY me.active_at DESC, c.id DESC`, parameters);
  }

  /**
   * Copies the time of the newest message of these chats to memberships that are behind it, up to a thousand. Returns
   * how many were behind, and their chats. It waits for no row, so it can't deadlock with an append: a membership that
   * is locked stays behind.
   */
  async recordActivity(chatIds: readonly number[]): Promise<{ count: number; chatIds: number[] }> {
    const rows: { count: number; chat_ids: number[] }[] = await this.unitOfWork.manager.query(
      `WITH behind AS MATERIALIZED (
         SELECT m.chat_id, m.user_id, c.last_activity_at FROM unnest($1::bigint[]) AS p(chat_id) ${chatOf('p')}
         JOIN chat_members m ON m.chat_id = p.chat_id AND m.active_at < c.last_activity_at LIMIT ${MOVED_AT_ONCE}
       ), free AS MATERIALIZED (
         SELECT b.* FROM behind b JOIN chat_members m ON m.chat_id = b.chat_id AND m.user_id = b.user_id
         FOR NO KEY UPDATE OF m SKIP LOCKED
       ), moved AS (
         UPDATE chat_members m SET active_at = f.last_activity_at FROM free f
         WHERE m.chat_id = f.chat_id AND m.user_id = f.user_id
       )
       SELECT count(*)::int AS count, coalesce(array_agg(DISTINCT chat_id), '{}') AS chat_ids FROM behind`,
      [chatIds],
    );
    return { count: rows[0]!.count, chatIds: rows[0]!.chat_ids };
  }

  /** The chat as each of these users sees it. Users who aren't members are left out. */
  views(chatId: number, userIds: readonly number[]): Promise<ChatRow[]> {
    return this.queryViews(`WITH me AS (${AMONG}) ${CHAT_VIEW}`, [chatId, userIds]);
  }

  /** The chat as a member sees it, with its first members; undefined when the user isn't one. One statement. */
  async viewWithMembers(
    chatId: number,
    userId: number,
    count: number,
  ): Promise<{ chat: ChatRow; members: MemberRow[] } | undefined> {
    const rows: (FlatChatRow & { members: JsonMemberRow[] })[] = await this.unitOfWork.manager.query(
      `WITH me AS (${AMONG}) SELECT view.*, first.members FROM (${CHAT_VIEW}) view
       CROSS JOIN LATERAL (SELECT json_agg(page) AS members FROM (${memberPage('view.id', '$3', '0')}) page) first`,
      [chatId, [userId], count],
    );
    return rows[0] && { chat: toChatRow(rows[0]), members: rows[0].members.map(memberRowOf) };
  }

  /**
   * The user's chats above `afterId`, by id, that differ from the cursors or have none, up to `limit`; and the chats
   * that have a cursor but don't have the user as a member. One statement, so both are from the same snapshot.
   */
  async changedViews(
    userId: number,
    cursors: ReadonlyMap<number, ChatCursor>,
    afterId: number,
    limit: number,
  ): Promise<{ chats: ChatRow[]; removedIds: number[] }> {
    const held = [...cursors.values()];
    const rows: (FlatChatRow & { removed_ids: number[] })[] = await this.unitOfWork.manager.query(
      `WITH cursors AS (
         SELECT * FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
           AS k(chat_id, seq, change_seq, last_read_seq, read_by_all_seq)
       ), me AS (
         SELECT m.* FROM chat_members m ${chatOf('m')} LEFT JOIN cursors k ON k.chat_id = m.chat_id
         WHERE m.user_id = $1 AND m.chat_id > $2 AND (
           k.chat_id IS NULL OR c.last_seq <> k.seq OR c.last_change_seq <> k.change_seq
           OR m.last_read_seq <> k.last_read_seq OR c.read_by_all_seq <> k.read_by_all_seq)
         ORDER BY m.chat_id LIMIT $3
       )
       SELECT view.*, removed.ids AS removed_ids
       FROM (SELECT array(
         SELECT k.chat_id FROM cursors k WHERE NOT EXISTS (
           SELECT FROM chat_members m WHERE m.user_id = $1 AND m.chat_id = k.chat_id) ORDER BY k.chat_id) AS ids) removed
       LEFT JOIN (${CHAT_VIEW}) view ON true ORDER BY view.id`,
      [
        userId,
        afterId,
        limit,
        [...cursors.keys()],
        held.map(({ seq }) => seq),
        held.map(({ change_seq }) => change_seq),
        held.map(({ last_read_seq }) => last_read_seq ?? null),
        held.map(({ read_by_all_seq }) => read_by_all_seq ?? null),
      ],
    );
    // When no chat differs, there is still one row, which holds the removed ids.
    const chats = rows.filter(({ id }) => (id as number | null) !== null);
    return { chats: chats.map(toChatRow), removedIds: rows[0]!.removed_ids };
  }

  private async queryViews(sql: string, parameters: unknown[]): Promise<ChatRow[]> {
    const rows: FlatChatRow[] = await this.unitOfWork.manager.query(sql, parameters);
    return rows.map(toChatRow);
  }

  /** The user's memberships in chats above `afterId`, by id. */
  memberships(userId: number, afterId: number, limit: number): Promise<MembershipRow[]> {
    return this.unitOfWork.manager.query(
      `WITH me AS (SELECT * FROM chat_members WHERE user_id = $1 AND chat_id > $2 ORDER BY chat_id LIMIT $3)
       SELECT v.id AS chat_id, v.type, v.name, v.my_role AS role, me.joined_at, v.last_read_seq
       FROM (${CHAT_VIEW}) v JOIN me ON me.chat_id = v.id ORDER BY v.id`,
      [userId, afterId, limit],
    );
  }

  /** The groups above `afterId` that the user is in, by id. */
  groupIds(userId: number, afterId: number, limit: number): Promise<number[]> {
    return this.ids(
      `SELECT m.chat_id AS id FROM chat_members m JOIN groups g ON g.chat_id = m.chat_id
       WHERE m.user_id = $1 AND m.chat_id > $2 ORDER BY m.chat_id LIMIT $3`,
      [userId, afterId, limit],
    );
  }

  /** The private chats above `afterId` that the user is in, by id. */
  privateIds(userId: number, afterId: number, limit: number): Promise<number[]> {
    return this.ids(
      `SELECT m.chat_id AS id FROM chat_members m JOIN private_chats p ON p.chat_id = m.chat_id
       WHERE m.user_id = $1 AND m.chat_id > $2 ORDER BY m.chat_id LIMIT $3`,
      [userId, afterId, limit],
    );
  }

  /** The chats above `afterId` that the user is in, and the groups in which they wrote before they left, by id. */
  writtenInIds(userId: number, afterId: number, limit: number): Promise<number[]> {
    return this.ids(
      `(SELECT chat_id AS id FROM chat_members WHERE user_id = $1 AND chat_id > $2 ORDER BY chat_id LIMIT $3)
       UNION (SELECT chat_id FROM former_members WHERE user_id = $1 AND chat_id > $2 AND wrote ORDER BY chat_id LIMIT $3)
       ORDER BY id LIMIT $3`,
      [userId, afterId, limit],
    );
  }

  private async ids(sql: string, parameters: unknown[]): Promise<number[]> {
    const rows: { id: number }[] = await this.unitOfWork.manager.query(sql, parameters);
    return rows.map(({ id }) => id);
  }

  /**
   * Locks the pair until the transaction ends (an advisory lock): no other call makes their private chat or changes a
   * block between them.
   */
  async lockPair(lowUserId: number, highUserId: number): Promise<void> {
    const name = `pair ${lowUserId} ${highUserId}`;
    await this.unitOfWork.manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
  }

  /** The id of the private chat of two users, or undefined. */
  async findPrivate(lowUserId: number, highUserId: number): Promise<number | undefined> {
    return (await this.unitOfWork.repository(PrivateChat).findOneBy({ lowUserId, highUserId }))?.chatId;
  }

  /**
   * Makes a private chat; returns its id, or undefined when the two already have one. One statement, so a call that
   * loses a race leaves nothing behind.
   */
  async createPrivate(creatorId: number, lowUserId: number, highUserId: number): Promise<number | undefined> {
    const rows: { chat_id: number }[] = await this.unitOfWork.manager.query(
      `WITH pair AS (
         INSERT INTO private_chats (chat_id, low_user_id, high_user_id)
         VALUES (nextval(pg_get_serial_sequence('chats', 'id')), $2, $3)
         ON CONFLICT (low_user_id, high_user_id) DO NOTHING RETURNING *
       ), chat AS (
         INSERT INTO chats (id, type, creator_id) SELECT chat_id, 'private', $1 FROM pair
       )
       INSERT INTO chat_members (chat_id, user_id)
       SELECT chat_id, low_user_id FROM pair
       UNION ALL SELECT chat_id, high_user_id FROM pair WHERE high_user_id <> low_user_id
       RETURNING chat_id`,
      [creatorId, lowUserId, highUserId],
    );
    return rows[0]?.chat_id;
  }

  /** Makes a group whose creator is the owner; returns its id. Call it inside a transaction. */
  async createGroup(creatorId: number, name: string, memberIds: readonly number[]): Promise<number> {
    const chat = this.unitOfWork.repository(Chat).create({ type: 'group', creatorId });
    await this.unitOfWork.repository(Chat).insert(chat);
    await this.unitOfWork.repository(Group).insert({ chatId: chat.id, name, memberCount: memberIds.length + 1 });
    const members = memberIds.map((userId) => ({ chatId: chat.id, userId, role: 'member' as const }));
    await this.unitOfWork
      .repository(ChatMember)
      .insert([{ chatId: chat.id, userId: creatorId, role: 'owner' }, ...members]);
    return chat.id;
  }
}

type FlatChatRow = Omit<ChatRow, 'peer' | 'last_message'> & Prefixed<'message_'> & FlatPeer;

/** The columns of the other person, or of oneself in a chat with oneself; all of them null in a group. */
interface FlatPeer {
  readonly peer_id: number | null;
  readonly peer_name: string;
  readonly peer_created_at: Date;
}

function toChatRow(row: FlatChatRow): ChatRow {
  const { peer_id: id, peer_name: name, peer_created_at: createdAt } = row;
  return { ...row, peer: id === null ? null : { id, name, createdAt }, last_message: prefixedMessage(row, 'message_') };
}
