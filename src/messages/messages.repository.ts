import { Injectable } from '@nestjs/common';
import {
  messageColumns,
  type MessageRow,
  type Prefixed,
  prefixedMessage,
  SENT_COLUMNS,
  type SentMessage,
} from '../chats/dto/message.dto.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { AppendedBatch, AppendedRow, ChatState } from './append.types.js';
import { memberPage } from '../chats/dto/member.dto.js';
import type { ReaderDto } from './dto/receipt.dto.js';
import type { Gap } from './news.js';

/** The result of a read: the read mark of the chat after it, and the authors of the messages that are newly read. */
export interface MarkedRead {
  readonly read_by_all_seq: number;
  readonly author_ids: number[];
  /** The id of its row in `chat_changes`; null if the cursor did not advance. */
  readonly change_id: number | null;
}

/** A message with the read mark of its chat. */
export type MarkedMessageRow = MessageRow & { readonly read_by_all_seq: number };

/** A page of a chat, with the chat's newest `seq` and its read mark. */
export interface HistoryPage {
  readonly last_seq: number;
  readonly read_by_all_seq: number;
  readonly messages: readonly MessageRow[];
}

/** Calls the function with one array for each column that a send decides (`SENT_COLUMNS`). */
const APPEND = `SELECT * FROM append_messages(${SENT_COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})`;

/** SQL: when a message changes. Never before it was sent or changed last, whatever the clock of the database does. */
const CHANGE_TIME = 'greatest(clock_timestamp(), m.timestamp, m.edited_at)';

/**
 * The SQL of the table `messages`. The services of this folder call it; none of its methods checks who may do what,
 * except where it says so.
 */
@Injectable()
export class MessagesRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Appends messages in this order, at the next `seq`s of their chats, with one round trip and one commit
   * (`src/database/functions/append_messages.sql`). No two messages of a chat may have the same key. It checks the
   * membership.
   */
  async appendAll(messages: readonly SentMessage[]): Promise<AppendedBatch> {
    const rows = await this.unitOfWork.prepared<AppendedRow | ChatState>(
      'append_messages',
      APPEND,
      SENT_COLUMNS.map((column) => messages.map((message) => message[column])),
    );
    const chats = rows.slice(messages.length) as ChatState[];
    return {
      messages: rows.slice(0, messages.length) as AppendedRow[],
      chats: new Map(chats.map((chat) => [chat.chat_id, chat])),
    };
  }

  /**
   * Advances the reader's cursor to `seq`, which is that of the message `id`; a cursor never goes back. Undefined if
   * the reader isn't in the chat (`src/database/functions/read_messages.sql`).
   */
  async markRead(chatId: number, readerId: number, seq: number, id: number): Promise<MarkedRead | undefined> {
    const rows = await this.unitOfWork.prepared<MarkedRead>(
      'read_messages',
      'SELECT * FROM read_messages($1, $2, $3, $4)',
      [chatId, readerId, seq, id],
    );
    return rows[0];
  }

  /** The messages at these places, in any order, with the read marks of their chats. */
  at(places: readonly { chatId: number; seq: number }[]): Promise<MarkedMessageRow[]> {
    return this.query(
      `SELECT ${messageColumns('m')}, c.read_by_all_seq FROM unnest($1::bigint[], $2::bigint[]) AS p(chat_id, seq)
       JOIN messages m ON m.chat_id = p.chat_id AND m.seq = p.seq JOIN chats c ON c.id = m.chat_id`,
      [places.map(({ chatId }) => chatId), places.map(({ seq }) => seq)],
    );
  }

  /**
   * The newest messages of a chat among `from` … `to` by `seq`, up to `limit`, oldest first; undefined when the reader
   * isn't in the chat. Membership, counters and messages come from one statement. The bounds are the page itself, not
   * only `from` and `to`: of a long range the planner would read everything, and sort it. The LIMIT cuts nothing; it
   * corrects the planner, as in `range`.
   */
  async page(
    chatId: number,
    readerId: number,
    { from, to, limit }: { from: number; to: number; limit: number },
  ): Promise<HistoryPage | undefined> {
    const rows = await this.query<Prefixed<'message_'> & Omit<HistoryPage, 'messages'>>(
      `SELECT c.last_seq, c.read_by_all_seq, ${messageColumns('m', 'message_')}
       FROM chats c JOIN chat_members me ON me.chat_id = c.id AND me.user_id = $2
       LEFT JOIN LATERAL (
         SELECT * FROM messages WHERE chat_id = c.id
           AND seq BETWEEN greatest($3, least($4, c.last_seq) - $5 + 1) AND least($4, c.last_seq) ORDER BY seq LIMIT $5
       ) m ON true WHERE c.id = $1 ORDER BY m.seq`,
      [chatId, readerId, from, to, limit],
    );
    const messages = rows.flatMap((row) => prefixedMessage(row, 'message_') ?? []);
    return rows[0] && { last_seq: rows[0].last_seq, read_by_all_seq: rows[0].read_by_all_seq, messages };
  }

  /**
   * Messages `from` … `to` by `seq`, oldest first. The LIMIT never cuts rows. It only corrects the planner, which
   * treats `chat_id` and `seq` as independent, and expects many thousands of rows at the start of a long chat.
   */
  range(chatId: number, from: number, to: number): Promise<MessageRow[]> {
    return this.query(
      `SELECT ${messageColumns('m')} FROM messages m WHERE m.chat_id = $1 AND m.seq BETWEEN $2 AND $3 ORDER BY m.seq LIMIT $4`,
      [chatId, from, to, Math.max(0, to - from + 1)],
    );
  }

  /** The sender's messages with a `seq` above `after` and up to `upTo`, by `seq`. */
  ofSender(chatId: number, senderId: number, after: number, upTo: number): Promise<MessageRow[]> {
    return this.query(
      `SELECT ${messageColumns('m')} FROM (
         SELECT * FROM messages WHERE chat_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4
       ) m WHERE m.sender_id = $5 ORDER BY m.seq`,
      [chatId, after, upTo, upTo - after, senderId],
    );
  }

  /** The `last_seq` of the chat: how many messages it has had. 0 if the chat no longer exists. */
  async lastSeq(chatId: number): Promise<number> {
    const rows = await this.query<{ last_seq: number }>('SELECT last_seq FROM chats WHERE id = $1', [chatId]);
    return rows[0]?.last_seq ?? 0;
  }

  /**
   * The messages that fill these gaps, in the order of the gaps, up to `limit` messages
   * (`src/database/functions/changed_messages.sql`). It checks the membership: chats that the reader has left are
   * skipped.
   */
  fill(readerId: number, gaps: readonly Gap[], limit: number): Promise<MessageRow[]> {
    return this.query(`SELECT ${messageColumns('m')} FROM changed_messages($1, $2, $3, $4, $5, $6, $7) m`, [
      readerId,
      gaps.map(({ chat }) => chat.id),
      gaps.map(({ from }) => from),
      gaps.map(({ to }) => to),
      gaps.map(({ seen }) => seen),
      gaps.map(({ since }) => since),
      limit,
    ]);
  }

  /** The message with the read mark of its chat, if the user is in it. */
  async findVisible(id: number, userId: number): Promise<MarkedMessageRow | undefined> {
    const rows = await this.query<MarkedMessageRow>(
      `SELECT ${messageColumns('m')}, c.read_by_all_seq FROM messages m JOIN chats c ON c.id = m.chat_id
       JOIN chat_members me ON me.chat_id = m.chat_id AND me.user_id = $2 WHERE m.id = $1`,
      [id, userId],
    );
    return rows[0];
  }

  /**
   * A page of the members whose cursor has passed the message, its sender aside, in the order they joined; undefined
   * when the user isn't in its chat. One statement.
   */
  async readers(id: number, userId: number, limit: number, offset: number): Promise<ReaderDto[] | undefined> {
    const readers = memberPage('x.chat_id', '$3', '$4', 'm.last_read_seq >= x.seq AND m.user_id <> x.sender_id');
    const rows = await this.query<ReaderDto | { user_id: null }>(
      `SELECT page.user_id, page.name FROM messages x
       JOIN chat_members me ON me.chat_id = x.chat_id AND me.user_id = $2
       LEFT JOIN LATERAL (${readers}) page ON true WHERE x.id = $1 ORDER BY page.joined_at, page.user_id`,
      [id, userId, limit, offset],
    );
    // A member gets one row, of nulls, for an empty page.
    return rows.length > 0 ? rows.filter((row) => row.user_id !== null) : undefined;
  }

  /** Replaces the text and returns the new row. Call it under the chat's lock, with a `changeSeq` from `ChatOutbox`. */
  edit(row: MessageRow, text: string, changeSeq: number): Promise<MessageRow> {
    return this.change(row, changeSeq, `text = $4, edited_at = ${CHANGE_TIME}`, [text]);
  }

  /**
   * Turns the message into a tombstone and returns it. Call it under the chat's lock, with a `changeSeq` from
   * `ChatOutbox`.
   */
  delete(row: MessageRow, changeSeq: number): Promise<MessageRow> {
    return this.change(row, changeSeq, `text = NULL, deleted_at = ${CHANGE_TIME}`, []);
  }

  /** Those of these `seq`s whose message is not a tombstone, in ascending order. */
  async living(chatId: number, seqs: readonly number[]): Promise<number[]> {
    const rows = await this.query<{ seq: number }>(
      'SELECT seq FROM messages WHERE chat_id = $1 AND seq = ANY($2) AND deleted_at IS NULL ORDER BY seq',
      [chatId, seqs],
    );
    return rows.map(({ seq }) => seq);
  }

  /**
   * Turns these messages into tombstones. The first takes `changeSeq`, and each further one the next number. Call it
   * under the chat's lock.
   */
  async deleteAll(chatId: number, seqs: readonly number[], changeSeq: number): Promise<void> {
    await this.query(
      `UPDATE messages m SET change_seq = $3::bigint + d.place - 1, text = NULL, deleted_at = ${CHANGE_TIME},
         sent_hash = coalesce(m.sent_hash, sha256(convert_to(m.text, 'UTF8')))
       FROM unnest($2::bigint[]) WITH ORDINALITY AS d(seq, place) WHERE m.chat_id = $1 AND m.seq = d.seq`,
      [chatId, seqs, changeSeq],
    );
  }

  /** Deletes the hashes of the original texts (`sent_hash`) of the sender's messages `from` … `to` by `seq`. */
  async forgetSent(chatId: number, senderId: number, from: number, to: number): Promise<void> {
    await this.query(
      `UPDATE messages SET sent_hash = NULL
       WHERE chat_id = $1 AND seq BETWEEN $2 AND $3 AND sender_id = $4 AND sent_hash IS NOT NULL`,
      [chatId, from, to, senderId],
    );
  }

  /** Applies `set` to the message, with its new `change_seq`, and keeps the hash of the text as it was sent. */
  private async change(
    { chat_id, seq }: MessageRow,
    changeSeq: number,
    set: string,
    values: unknown[],
  ): Promise<MessageRow> {
    const [rows]: [MessageRow[], number] = await this.unitOfWork.manager.query(
      `UPDATE messages m SET change_seq = $3, sent_hash = coalesce(sent_hash, sha256(convert_to(text, 'UTF8'))), ${set}
       WHERE chat_id = $1 AND seq = $2 RETURNING ${messageColumns('m')}`,
      [chat_id, seq, changeSeq, ...values],
    );
    return rows[0]!;
  }

  /** The chats of the newest messages, as many as `limit`. */
  async recentChatIds(limit: number): Promise<number[]> {
    const rows = await this.query<{ id: number }>(
      'SELECT DISTINCT chat_id AS id FROM (SELECT chat_id FROM messages ORDER BY id DESC LIMIT $1) newest',
      [limit],
    );
    return rows.map(({ id }) => id);
  }

  /** The deleted groups that still have a row in `chats`. */
  async deletedChatIds(): Promise<number[]> {
    const rows = await this.query<{ id: number }>('SELECT id FROM chats WHERE deleted_at IS NOT NULL', []);
    return rows.map(({ id }) => id);
  }

  /** Removes up to `limit` messages of a deleted group, oldest first. Returns how many it has removed. */
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

  /** Removes the row of a deleted group, if no messages are left: another node may still be removing some. */
  async removeDeletedChat(chatId: number): Promise<void> {
    await this.query(
      `DELETE FROM chats WHERE id = $1 AND deleted_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM messages WHERE chat_id = $1)`,
      [chatId],
    );
  }

  private query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return this.unitOfWork.manager.query(sql, parameters);
  }
}
