import { Injectable } from '@nestjs/common';
import type { Change } from '../chats/chat-change.entity.js';
import { messageColumns, MessageDto, type MessageRow } from '../chats/dto/message.dto.js';
import { type Audience, FEW_MEMBER_IDS } from '../chats/audience.js';
import { UnitOfWork } from '../database/unit-of-work.js';

/** A position of the log: the highest ids of `messages` and of `chat_changes` at some time. */
export interface LogPosition {
  readonly messageId: number;
  readonly changeId: number;
}

/**
 * A chat that has advanced beyond a position of the log: its newest `seq` above it, and the ids of the changes above
 * it.
 */
export interface AdvancedChat {
  readonly chat_id: number;
  /** 0 if only changes are above the position. */
  readonly seq: number;
  readonly change_ids: readonly number[];
}

/** What is above a position of the log. `newest` is the position where the log ends now. */
export interface LogAdvance {
  readonly newest: LogPosition;
  readonly chats: readonly AdvancedChat[];
}

/** The current state of a chat. A node has to publish the messages after `from_seq` up to `last_seq`. */
export interface ChatHead extends Audience {
  readonly chat_id: number;
  readonly from_seq: number;
  readonly last_seq: number;
  readonly last_change_seq: number;
  readonly read_by_all_seq: number;
  readonly creator_id: number;
  /** Null for a private chat. */
  readonly name: string | null;
  readonly member_count: number | null;
}

/** A row of `chat_changes`, with the fields of its `data`. */
export type LoggedChange = Change & {
  readonly chat_id: number;
  readonly id: number;
  /**
   * The chat's `last_seq` when the change was committed: it comes after that message. The field `seq` of a read, or of
   * a change of a message, is from `data`, and names the message that was read or changed.
   */
  readonly after_seq: number;
  /** Null for the beginning and the end of a chat, and for a read. */
  readonly change_seq: number | null;
};

/** A message of the log, and what its sender read by sending it. */
export interface LoggedMessage {
  readonly message: MessageDto;
  /** The newest message that was newly read, and the authors of all that were. Authors may have left the chat since. */
  readonly read: { readonly id: number; readonly seq: number; readonly author_ids: readonly number[] } | null;
}

/**
 * How many messages of a chat a node publishes at once, the newest. Clients see the hole before them, and call `sync`.
 */
const MAX_BEHIND = 1_000;

/**
 * How many rows of each table one poll reads, the newest. More are written only if this node is suspended for so long
 * that its sockets don't survive.
 */
const MAX_POLLED = 300_000;

/** How many changes one statement deletes at the most: all of an outage at once would exceed the statement timeout. */
const FORGOTTEN_AT_ONCE = 5_000;

/**
 * Reads the committed log: the tables `messages` and `chat_changes`. `realtime/delivery/` uses it to publish what other
 * nodes have written, and what this node could not publish at once.
 *
 * Invariants: it writes nothing, except in `forgetChanges`. A read of messages is bounded by `MAX_BEHIND` for each
 * chat, and a poll by `MAX_POLLED`.
 */
@Injectable()
export class LogReader {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** The position where the log ends. */
  async newest(): Promise<LogPosition> {
    const rows = await this.query<LogPosition>(
      `SELECT coalesce((SELECT max(id) FROM messages), 0) AS "messageId",
              coalesce((SELECT max(id) FROM chat_changes), 0) AS "changeId"`,
      [],
    );
    return rows[0]!;
  }

  /** What has been committed above this position; `MAX_POLLED` keeps the query within the statement timeout. */
  async advancesSince({ messageId, changeId }: LogPosition): Promise<LogAdvance> {
    const rows = await this.query<AdvancedChat & LogPosition>(
      `SELECT chat_id, max(seq) AS seq, max(message_id) AS "messageId", max(change_id) AS "changeId",
         array_remove(array_agg(change_id), 0::bigint) AS change_ids
       FROM (
         (SELECT chat_id, seq, id AS message_id, 0::bigint AS change_id FROM messages WHERE id > $1 ORDER BY id DESC LIMIT $3)
         UNION ALL (SELECT chat_id, 0, 0, id FROM chat_changes WHERE id > $2 ORDER BY id DESC LIMIT $3)
       ) moved GROUP BY chat_id`,
      [messageId, changeId, MAX_POLLED],
    );
    const newest = rows.reduce(
      (position, row) => ({
        messageId: Math.max(position.messageId, row.messageId),
        changeId: Math.max(position.changeId, row.changeId),
      }),
      { messageId, changeId },
    );
    return { newest, chats: rows };
  }

  /**
   * The current state of these chats; chats that no longer exist are left out. `seq` is how far the node has published
   * a chat. If it is undefined, `from_seq` is the `seq` of the newest message up to `position`.
   */
  heads(chats: readonly { chatId: number; seq: number | undefined }[], position: LogPosition): Promise<ChatHead[]> {
    return this.query<ChatHead>(
      `SELECT c.id AS chat_id, c.last_seq, c.last_change_seq, c.read_by_all_seq, c.creator_id, c.members_seq,
         g.name, g.member_count, ${FEW_MEMBER_IDS} AS member_ids,
         greatest(c.last_seq - ${MAX_BEHIND}, coalesce(p.seq, (
           SELECT x.seq FROM (
             SELECT m.seq, m.id FROM messages m WHERE m.chat_id = c.id ORDER BY m.seq DESC LIMIT ${MAX_BEHIND} + 1
           ) x WHERE x.id <= $3 ORDER BY x.seq DESC LIMIT 1), 0)) AS from_seq
       FROM unnest($1::bigint[], $2::bigint[]) AS p(chat_id, seq)
       JOIN chats c ON c.id = p.chat_id LEFT JOIN groups g ON g.chat_id = c.id`,
      [chats.map(({ chatId }) => chatId), chats.map(({ seq }) => seq ?? null), position.messageId],
    );
  }

  /** The messages of these chats after `from_seq` and up to `last_seq`, by chat and `seq`. */
  async messages(heads: readonly ChatHead[]): Promise<LoggedMessage[]> {
    if (heads.length === 0) return [];
    const rows = await this.query<MessageRow & { mark: number; read: LoggedMessage['read'] }>(
      `SELECT ${messageColumns('m')}, p.mark, news.read
       FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS p(chat_id, low, high, mark)
       CROSS JOIN LATERAL (
         SELECT * FROM messages n WHERE n.chat_id = p.chat_id AND n.seq > p.low AND n.seq <= p.high
         ORDER BY n.seq LIMIT ${MAX_BEHIND}
       ) m
       LEFT JOIN LATERAL (
         SELECT json_build_object('seq', max(a.seq), 'id', max(a.id), 'author_ids', json_agg(DISTINCT a.sender_id)) AS read
         FROM (
           SELECT * FROM messages n WHERE n.chat_id = m.chat_id AND n.seq > m.read_from AND n.seq < m.seq
           ORDER BY n.seq DESC LIMIT ${MAX_BEHIND}
         ) a WHERE a.sender_id <> m.sender_id HAVING count(*) > 0
       ) news ON m.read_from IS NOT NULL
       ORDER BY m.chat_id, m.seq`,
      [
        heads.map(({ chat_id }) => chat_id),
        heads.map(({ from_seq }) => from_seq),
        heads.map(({ last_seq }) => last_seq),
        heads.map(({ read_by_all_seq }) => read_by_all_seq),
      ],
    );
    return rows.map((row) => ({ message: MessageDto.of(row, row.mark), read: row.read }));
  }

  /** The current state of a message; undefined if there is none. */
  async message(chatId: number, seq: number): Promise<MessageDto | undefined> {
    const rows = await this.query<MessageRow & { mark: number }>(
      `SELECT ${messageColumns('m')}, c.read_by_all_seq AS mark
       FROM messages m JOIN chats c ON c.id = m.chat_id WHERE m.chat_id = $1 AND m.seq = $2`,
      [chatId, seq],
    );
    return rows[0] && MessageDto.of(rows[0], rows[0].mark);
  }

  /**
   * The changes of these chats above the position, by id: within a chat that is the order of the commits. Members have
   * the names that they have now.
   */
  async changes(chatIds: readonly number[], { changeId }: LogPosition): Promise<LoggedChange[]> {
    const rows = await this.query<Omit<LoggedChange, 'kind'> & { kind: Change['kind']; data: object }>(
      `SELECT chat_id, id, seq AS after_seq, change_seq, kind, CASE WHEN data -> 'member' IS NULL THEN data ELSE
         jsonb_set(data, '{member,name}', (
           SELECT to_jsonb(u.name) FROM users u WHERE u.id = (data -> 'member' -> 'user_id')::bigint LIMIT 1)) END AS data
       FROM chat_changes WHERE chat_id = ANY($1) AND id > $2 ORDER BY id`,
      [chatIds, changeId],
    );
    return rows.map(({ data, ...row }) => ({ ...data, ...row }) as LoggedChange);
  }

  /** Deletes the oldest changes up to this id, a slice of them; returns whether there may be more. */
  async forgetChanges(upTo: number): Promise<boolean> {
    const rows = await this.query<{ count: number }>(
      `WITH gone AS (
         DELETE FROM chat_changes WHERE id <= least($1, (SELECT min(id) FROM chat_changes) + $2 - 1) RETURNING id
       ) SELECT count(*)::int AS count FROM gone`,
      [upTo, FORGOTTEN_AT_ONCE],
    );
    return rows[0]!.count > 0;
  }

  private query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return this.unitOfWork.manager.query(sql, parameters);
  }
}
