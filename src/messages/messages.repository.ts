import { Injectable } from '@nestjs/common';
import type { Chat } from '../chats/chat.entity.js';
import type { MessageRow } from '../chats/dto/message.dto.js';
import { UnitOfWork } from '../database/unit-of-work.js';

const COLUMNS = [
  'id',
  'chat_id',
  'sender_id',
  'text',
  'timestamp',
  'client_message_id',
  'seq',
  'change_seq',
  'reply_to_id',
  'edited_at',
  'deleted_at',
];
const columnsOf = (table: string): string => COLUMNS.map((column) => `${table}.${column}`).join(', ');

/** A message to append. */
export interface NewMessage {
  readonly chatId: number;
  readonly senderId: number;
  readonly text: string;
  readonly clientMessageId: string;
  readonly replyToId: number | undefined;
}

/** What a write needs to know of the sender and the key, seen under the chat's lock. */
interface Standing {
  readonly last_read_seq: number;
  readonly reply_found: boolean;
}

@Injectable()
export class MessagesRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** The sender's place in the chat, and whether the message replied to is in it; undefined for an outsider. */
  async standing({ chatId, senderId, replyToId }: NewMessage): Promise<Standing | undefined> {
    const rows = await this.query<Standing>(
      `SELECT me.last_read_seq, EXISTS (SELECT FROM messages WHERE id = $3 AND chat_id = $1) AS reply_found
       FROM chat_members me WHERE me.chat_id = $1 AND me.user_id = $2`,
      [chatId, senderId, replyToId ?? null],
    );
    return rows[0];
  }

  /** The message with this key, if the chat has it. */
  async findByKey(chatId: number, clientMessageId: string): Promise<MessageRow | undefined> {
    const where = 'm.chat_id = $1 AND m.client_message_id = $2';
    return (
      await this.query<MessageRow>(`SELECT ${columnsOf('m')} FROM messages m WHERE ${where}`, [chatId, clientMessageId])
    )[0];
  }

  /**
   * Puts the message at the next `seq` of the locked chat and moves the sender's cursor to it. One statement; the lock
   * makes the number dense and the time monotone.
   */
  async append(chat: Chat, { senderId, text, clientMessageId, replyToId }: NewMessage): Promise<MessageRow> {
    const rows = await this.query<MessageRow>(
      `WITH new AS (
         INSERT INTO messages (chat_id, seq, sender_id, text, client_message_id, reply_to_id, timestamp)
         VALUES ($1, $2, $3, $4, $5, $6, greatest(clock_timestamp(), $7)) RETURNING *
       ), chat AS (
         UPDATE chats SET last_seq = new.seq, last_activity_at = new.timestamp FROM new WHERE chats.id = new.chat_id
       ), cursor AS (
         UPDATE chat_members m SET last_read_seq = new.seq FROM new WHERE m.chat_id = new.chat_id AND m.user_id = new.sender_id
       )
       SELECT ${columnsOf('new')} FROM new`,
      [chat.id, chat.lastSeq + 1, senderId, text, clientMessageId, replyToId ?? null, chat.lastActivityAt],
    );
    return rows[0]!;
  }

  /** Messages `from` … `to` by `seq`, oldest first. */
  range(chatId: number, from: number, to: number): Promise<MessageRow[]> {
    return this.query(
      `SELECT ${columnsOf('m')} FROM messages m WHERE m.chat_id = $1 AND m.seq BETWEEN $2 AND $3 ORDER BY m.seq`,
      [chatId, from, to],
    );
  }

  /** The message, if the user is in its chat. */
  async findVisible(id: number, userId: number): Promise<MessageRow | undefined> {
    const rows = await this.query<MessageRow>(
      `SELECT ${columnsOf('m')} FROM messages m
       JOIN chat_members me ON me.chat_id = m.chat_id AND me.user_id = $2 WHERE m.id = $1`,
      [id, userId],
    );
    return rows[0];
  }

  /** Moves a cursor forward, never back. */
  async moveCursor(chatId: number, userId: number, seq: number): Promise<void> {
    await this.query(
      'UPDATE chat_members SET last_read_seq = $3 WHERE chat_id = $1 AND user_id = $2 AND last_read_seq < $3',
      [chatId, userId, seq],
    );
  }

  /** The members, other than the reader, who sent something with `after < seq <= upTo`. */
  async sendersBetween(chatId: number, after: number, upTo: number, readerId: number): Promise<number[]> {
    const rows = await this.query<{ user_id: number }>(
      `SELECT user_id FROM chat_members c WHERE chat_id = $1 AND user_id <> $4 AND EXISTS (
         SELECT FROM messages m WHERE m.chat_id = $1 AND m.seq > $2 AND m.seq <= $3 AND m.sender_id = c.user_id)`,
      [chatId, after, upTo, readerId],
    );
    return rows.map(({ user_id }) => user_id);
  }

  /** Deleted groups that still have messages or a row. */
  async deletedChatIds(): Promise<number[]> {
    const rows = await this.query<{ id: number }>('SELECT id FROM chats WHERE deleted_at IS NOT NULL', []);
    return rows.map(({ id }) => id);
  }

  /** Removes up to `limit` messages of a deleted group, oldest first; how many there were. */
  async removeOldest(chatId: number, limit: number): Promise<number> {
    const rows = await this.query<{ count: number }>(
      `WITH gone AS (
         DELETE FROM messages WHERE chat_id = $1
         AND seq <= (SELECT min(seq) FROM messages WHERE chat_id = $1) + $2 - 1 RETURNING seq
       ) SELECT count(*)::int AS count FROM gone`,
      [chatId, limit],
    );
    return rows[0]!.count;
  }

  /** Removes the row of a deleted group that has no messages left. */
  async removeDeletedChat(chatId: number): Promise<void> {
    await this.query('DELETE FROM chats WHERE id = $1 AND deleted_at IS NOT NULL', [chatId]);
  }

  private query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return this.unitOfWork.manager.query(sql, parameters);
  }
}
