import { Injectable } from '@nestjs/common';
import { messageColumns, type MessageRow, SENT_COLUMNS, type SentMessage } from '../chats/dto/message.dto.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { AppendedBatch, AppendedRow, ChatState } from './append.types.js';
import type { Gap } from './news.js';

/** A read: the read mark of the chat after it, and whose messages it newly reads. */
export interface MarkedRead {
  readonly read_by_all_seq: number;
  readonly author_ids: number[];
  /** Its row in `chat_changes`; null when the cursor was there already. */
  readonly change_id: number | null;
}

/** One array for each column that a sending decides. */
const APPEND = `SELECT * FROM append_messages(${SENT_COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})`;

@Injectable()
export class MessagesRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Appends messages in this order, at the next `seq`s of their chats: one round trip, one commit
   * (`src/database/functions/append_messages.sql`). No key may stand in it twice.
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
   * Moves the reader's cursor up to `seq`, that of the message `id`, unless it is there; undefined when they aren't in the
   * chat (`src/database/functions/read_messages.sql`).
   */
  async markRead(chatId: number, readerId: number, seq: number, id: number): Promise<MarkedRead | undefined> {
    const rows = await this.unitOfWork.prepared<MarkedRead>(
      'read_messages',
      'SELECT * FROM read_messages($1, $2, $3, $4)',
      [chatId, readerId, seq, id],
    );
    return rows[0];
  }

  /** The messages at these places, with the read marks of their chats. */
  at(places: readonly { chatId: number; seq: number }[]): Promise<(MessageRow & { read_by_all_seq: number })[]> {
    return this.query(
      `SELECT ${messageColumns('m')}, c.read_by_all_seq FROM unnest($1::bigint[], $2::bigint[]) AS p(chat_id, seq)
       JOIN messages m ON m.chat_id = p.chat_id AND m.seq = p.seq JOIN chats c ON c.id = m.chat_id`,
      [places.map(({ chatId }) => chatId), places.map(({ seq }) => seq)],
    );
  }

  /**
   * Messages `from` … `to` by `seq`, oldest first. PostgreSQL takes `chat_id` and `seq` for independent, and so expects
   * many thousands at the start of a long chat: the limit, which leaves nothing out, is what it is told otherwise by.
   */
  range(chatId: number, from: number, to: number): Promise<MessageRow[]> {
    return this.query(
      `SELECT ${messageColumns('m')} FROM messages m WHERE m.chat_id = $1 AND m.seq BETWEEN $2 AND $3 ORDER BY m.seq LIMIT $4`,
      [chatId, from, to, Math.max(0, to - from + 1)],
    );
  }

  /** What the sender has written after `after` and up to `upTo`, by `seq`. */
  ofSender(chatId: number, senderId: number, after: number, upTo: number): Promise<MessageRow[]> {
    return this.query(
      `SELECT ${messageColumns('m')} FROM (
         SELECT * FROM messages WHERE chat_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4
       ) m WHERE m.sender_id = $5 ORDER BY m.seq`,
      [chatId, after, upTo, upTo - after, senderId],
    );
  }

  /** How many messages the chat has had; 0 when it is gone. */
  async lastSeq(chatId: number): Promise<number> {
    const rows = await this.query<{ last_seq: number }>('SELECT last_seq FROM chats WHERE id = $1', [chatId]);
    return rows[0]?.last_seq ?? 0;
  }

  /**
   * What fills these gaps and the reader may see, in their order, up to `limit` messages
   * (`src/database/functions/changed_messages.sql`).
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

  /** The message, if the user is in its chat. */
  async findVisible(id: number, userId: number): Promise<MessageRow | undefined> {
    const rows = await this.query<MessageRow>(
      `SELECT ${messageColumns('m')} FROM messages m
       JOIN chat_members me ON me.chat_id = m.chat_id AND me.user_id = $2 WHERE m.id = $1`,
      [id, userId],
    );
    return rows[0];
  }

  /** The message with another text. Call it under the chat's lock; `ChatOutbox` has taken `changeSeq`. */
  edit(row: MessageRow, text: string, changeSeq: number): Promise<MessageRow> {
    return this.change(row, changeSeq, 'text = $4, edited_at = clock_timestamp()', [text]);
  }

  /** The message as a tombstone. Call it under the chat's lock; `ChatOutbox` has taken `changeSeq`. */
  delete(row: MessageRow, changeSeq: number): Promise<MessageRow> {
    return this.change(row, changeSeq, 'text = NULL, deleted_at = clock_timestamp()', []);
  }

  /** Which of these places have a message that is no tombstone, in their order. */
  async living(chatId: number, seqs: readonly number[]): Promise<number[]> {
    const rows = await this.query<{ seq: number }>(
      'SELECT seq FROM messages WHERE chat_id = $1 AND seq = ANY($2) AND deleted_at IS NULL ORDER BY seq',
      [chatId, seqs],
    );
    return rows.map(({ seq }) => seq);
  }

  /** These messages as tombstones, the first with `changeSeq`, each with the next one. Call it under the chat's lock. */
  async deleteAll(chatId: number, seqs: readonly number[], changeSeq: number): Promise<void> {
    await this.query(
      `UPDATE messages m SET change_seq = $3::bigint + d.place - 1, text = NULL, deleted_at = clock_timestamp(),
         sent_hash = coalesce(m.sent_hash, sha256(convert_to(m.text, 'UTF8')))
       FROM unnest($2::bigint[]) WITH ORDINALITY AS d(seq, place) WHERE m.chat_id = $1 AND m.seq = d.seq`,
      [chatId, seqs, changeSeq],
    );
  }

  /** Forgets what the sender's messages `from` … `to` by `seq` once said: of an edit or a tombstone, the hash of the first text. */
  async forgetSent(chatId: number, senderId: number, from: number, to: number): Promise<void> {
    await this.query(
      `UPDATE messages SET sent_hash = NULL
       WHERE chat_id = $1 AND seq BETWEEN $2 AND $3 AND sender_id = $4 AND sent_hash IS NOT NULL`,
      [chatId, from, to, senderId],
    );
  }

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

  /** Removes the row of a deleted group, if it has no messages left: another node may be removing them. */
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
