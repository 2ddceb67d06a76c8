import type { Client } from 'pg';
import { fillOurs, withDatabase, type Dataset, type DatasetChat } from './dataset.js';

/** A user, the chat that they read, and its number of messages. */
export interface ReaderChat {
  readonly userId: number;
  readonly chatId: number;
  readonly messages: number;
}

export const DEEP: ReaderChat = { userId: 1, chatId: 1, messages: 1_000_000 };
export const SHALLOW: ReaderChat = { userId: 2, chatId: 2, messages: 1_000 };
/** How many other chats both users are in. */
export const COMMON_CHATS = 49;
/** A user with many chats. */
export const POPULAR = { userId: 3, chats: 1_000 };

/** A user with nothing but chats, and the one that is the first of their list. */
export interface ListOwner {
  readonly userId: number;
  readonly chatId: number;
  readonly chats: number;
}

const listOwner = (userId: number, chats: number): ListOwner => ({ userId, chatId: userId * 1_000_000, chats });

/** Lists of chats: a short one, the longest one by default (`MAX_CHATS`), and one without that bound. */
export const SHORT_LIST = listOwner(1_001, 100);
export const LONG_LISTS = [listOwner(1_002, 10_000), listOwner(1_003, 120_000)];

const FIRST_OTHER_CHAT = 3;
const FIRST_OTHER_USER = 4;
const OTHER_USERS = 10;

/** The dataset of the history phase: a deep chat, a shallow one and many others, with `total` messages. */
export class HistoryDataset implements Dataset {
  readonly users = FIRST_OTHER_USER + OTHER_USERS - 1;
  readonly chats: readonly DatasetChat[];
  private readonly messagesOfOthers: number;

  constructor(total: number) {
    const left = total - DEEP.messages - SHALLOW.messages;
    const others = Math.max(POPULAR.chats, Math.round(left / SHALLOW.messages));
    this.messagesOfOthers = Math.floor(left / others);
    const group = (id: number, ...memberIds: number[]): DatasetChat => ({ id, type: 'group', memberIds });
    const other = (_: unknown, i: number): DatasetChat => {
      const common = i < COMMON_CHATS ? [DEEP.userId, SHALLOW.userId] : [];
      const popular = i < POPULAR.chats ? [POPULAR.userId] : [];
      return group(FIRST_OTHER_CHAT + i, FIRST_OTHER_USER + (i % OTHER_USERS), ...common, ...popular);
    };
    const places = [DEEP, SHALLOW].map(({ chatId, userId }) => group(chatId, userId, FIRST_OTHER_USER));
    this.chats = [...places, ...Array.from({ length: others }, other)];
  }

  /** The cursors of a user who has everything but the last `missed` messages of `chatId`. */
  cursorsOf(userId: number, chatId = 0, missed = 0): Record<string, { seq: number; change_seq: number }> {
    const own = this.chats.filter(({ memberIds }) => memberIds.includes(userId));
    return Object.fromEntries(
      own.map(({ id }) => [id, { seq: this.messagesIn(id) - (id === chatId ? missed : 0), change_seq: 0 }]),
    );
  }

  /** Inserts the dataset into the application's database. Everybody has read everything. */
  async fill(url: string): Promise<void> {
    await fillOurs(url, this);
    await withDatabase(url, async (db) => {
      // The chat with the lowest id is the one with the latest activity.
      await db.query(
        `UPDATE chats SET last_seq = l.length, read_by_all_seq = l.length, last_activity_at = now() - id * interval '1 second'
         FROM unnest($1::bigint[], $2::bigint[]) AS l(chat_id, length) WHERE id = l.chat_id`,
        [this.chats.map(({ id }) => id), this.chats.map(({ id }) => this.messagesIn(id))],
      );
      await db.query(
        'UPDATE chat_members m SET last_read_seq = c.last_seq, active_at = c.last_activity_at FROM chats c WHERE c.id = m.chat_id',
      );
      for (const { userId, chatId, chats } of [SHORT_LIST, ...LONG_LISTS]) {
        await db.query(`INSERT INTO users (id, name) VALUES ($1, 'Owner of a list')`, [userId]);
        await db.query(INSERT_LIST, [userId, chatId, chats]);
      }
      await withoutIndexes(db, 'messages', () => db.query(INSERT_MESSAGES));
      await db.query('VACUUM ANALYZE');
      await db.query('CHECKPOINT');
    });
  }

  private messagesIn(chatId: number): number {
    return [DEEP, SHALLOW].find((place) => place.chatId === chatId)?.messages ?? this.messagesOfOthers;
  }
}

const INSERT_LIST = `
  WITH made AS (
    INSERT INTO chats (id, type, creator_id, last_activity_at)
    SELECT $2::bigint + i, 'group', $1, now() - i * interval '1 second' FROM generate_series(0, $3::int - 1) i
    RETURNING id, creator_id, last_activity_at
  ), named AS (
    INSERT INTO groups (chat_id, name, member_count) SELECT id, 'One of many', 1 FROM made
  )
  INSERT INTO chat_members (chat_id, user_id, role, active_at)
  SELECT id, creator_id, 'owner', last_activity_at FROM made`;

const INSERT_MESSAGES = `
  INSERT INTO messages (chat_id, seq, sender_id, text, client_message_id, timestamp)
  SELECT c.id, seq, c.creator_id, 'Message ' || seq || ' of a chat, about as long as what people write to each other.',
    'history-' || seq, c.last_activity_at - (c.last_seq - seq) * interval '1 second'
  FROM chats c, generate_series(1, c.last_seq) seq`;

/** Runs `work` without the indexes of a table. To build an index over existing rows costs a fraction of growing it. */
async function withoutIndexes(db: Client, table: string, work: () => Promise<unknown>): Promise<void> {
  const { rows: constraints } = await db.query<{ name: string; definition: string }>(
    `SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
     WHERE conrelid = $1::regclass AND contype IN ('p', 'u')`,
    [table],
  );
  const { rows: indexes } = await db.query<{ name: string; definition: string }>(
    'SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE tablename = $1 AND indexname <> ALL($2)',
    [table, constraints.map(({ name }) => name)],
  );
  for (const { name } of constraints) await db.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
  for (const { name } of indexes) await db.query(`DROP INDEX ${name}`);
  await work();
  for (const { name, definition } of constraints) {
    await db.query(`ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`);
  }
  for (const { definition } of indexes) await db.query(definition);
}
