import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { Chat } from './chat.entity.js';
import { ChatMember } from './chat-member.entity.js';
import { Group } from './group.entity.js';
import { PrivateChat } from './private-chat.entity.js';
import type { ChatRow } from './dto/chat.dto.js';
import type { MessageRow } from './dto/message.dto.js';

/** One chat for each row of `me`, a set of (chat_id, user_id) named so; the last message comes as one JSON object. */
const CHAT_VIEW = `
  SELECT c.id, c.type, coalesce(g.name, other.name) AS name, c.creator_id, c.created_at,
         coalesce(g.member_count, 2) AS member_count, me.role AS my_role, me.user_id AS my_user_id,
         c.last_seq, c.last_change_seq, me.last_read_seq, c.last_activity_at,
         (SELECT min(last_read_seq) FROM chat_members WHERE chat_id = c.id) AS read_by_all_seq,
         last.id AS last_id, last.sender_id AS last_sender_id, last.text AS last_text, last.timestamp AS last_timestamp,
         last.client_message_id AS last_client_message_id, last.change_seq AS last_message_change_seq,
         last.reply_to_id AS last_reply_to_id, last.edited_at AS last_edited_at, last.deleted_at AS last_deleted_at
  FROM me
  JOIN chats c ON c.id = me.chat_id
  LEFT JOIN groups g ON g.chat_id = c.id
  LEFT JOIN private_chats p ON p.chat_id = c.id
  LEFT JOIN users other ON other.id = CASE me.user_id WHEN p.low_user_id THEN p.high_user_id ELSE p.low_user_id END
  LEFT JOIN messages last ON last.chat_id = c.id AND last.seq = c.last_seq
  ORDER BY c.last_activity_at DESC, c.id DESC`;

/** Where a page of chats starts: after the chat with this activity and id. */
export interface ActivityCursor {
  readonly activityMs: number;
  readonly chatId: number;
}

@Injectable()
export class ChatsRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** The chat, locked until the transaction ends. */
  lock(id: number): Promise<Chat | null> {
    return this.unitOfWork.repository(Chat).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /** A page of the user's chats, latest activity first. */
  async listViews(userId: number, limit: number, before: ActivityCursor | undefined): Promise<ChatRow[]> {
    const older = before ? `AND (c.last_activity_at, c.id) < (to_timestamp($3::float8 / 1000), $4::bigint)` : '';
    const me = `
      SELECT m.* FROM chat_members m JOIN chats c ON c.id = m.chat_id
      WHERE m.user_id = $1 ${older} ORDER BY c.last_activity_at DESC, c.id DESC LIMIT $2`;
    const parameters = before ? [userId, limit, before.activityMs, before.chatId] : [userId, limit];
    return this.queryViews(me, parameters);
  }

  /** The chat as each of these users sees it; whoever isn't a member is left out. */
  views(chatId: number, userIds: readonly number[]): Promise<ChatRow[]> {
    return this.queryViews('SELECT * FROM chat_members WHERE chat_id = $1 AND user_id = ANY($2)', [chatId, userIds]);
  }

  private async queryViews(me: string, parameters: unknown[]): Promise<ChatRow[]> {
    const rows: FlatChatRow[] = await this.unitOfWork.manager.query(`WITH me AS (${me}) ${CHAT_VIEW}`, parameters);
    return rows.map((row) => ({ ...row, last_message: lastMessage(row) }));
  }

  /** The private chat of two users, if they have one. */
  async findPrivate(lowUserId: number, highUserId: number): Promise<number | undefined> {
    return (await this.unitOfWork.repository(PrivateChat).findOneBy({ lowUserId, highUserId }))?.chatId;
  }

  /** The new private chat's id, or undefined when a racing call was first. In one statement: the pair decides, so nothing is left over. */
  async createPrivate(creatorId: number, lowUserId: number, highUserId: number): Promise<number | undefined> {
    const rows: { chat_id: number }[] = await this.unitOfWork.manager.query(
      `WITH pair AS (
         INSERT INTO private_chats (chat_id, low_user_id, high_user_id)
         VALUES (nextval(pg_get_serial_sequence('chats', 'id')), $2, $3)
         ON CONFLICT (low_user_id, high_user_id) DO NOTHING RETURNING *
       ), chat AS (
         INSERT INTO chats (id, type, creator_id) SELECT chat_id, 'private', $1 FROM pair
       )
       INSERT INTO chat_members (chat_id, user_id) SELECT chat_id, unnest(ARRAY[$2::bigint, $3::bigint]) FROM pair
       RETURNING chat_id`,
      [creatorId, lowUserId, highUserId],
    );
    return rows[0]?.chat_id;
  }

  /** The new group's id; its creator is the owner. Call it inside a transaction. */
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

type FlatChatRow = Omit<ChatRow, 'last_message'> & { [K in keyof MessageRow as `last_${K}`]: MessageRow[K] } & {
  last_message_change_seq: number | null;
};

function lastMessage(row: FlatChatRow): MessageRow | null {
  // A chat without messages has no last one: the join found nothing.
  if ((row.last_id as number | null) === null) return null;
  return {
    id: row.last_id,
    chat_id: row.id,
    sender_id: row.last_sender_id,
    text: row.last_text,
    timestamp: row.last_timestamp,
    client_message_id: row.last_client_message_id,
    seq: row.last_seq,
    change_seq: row.last_message_change_seq,
    reply_to_id: row.last_reply_to_id,
    edited_at: row.last_edited_at,
    deleted_at: row.last_deleted_at,
  };
}
