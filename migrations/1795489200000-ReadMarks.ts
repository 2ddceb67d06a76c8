import type { MigrationInterface, QueryRunner } from 'typeorm';
import { AppendMessages1795316400000 } from './1795316400000-AppendMessages.js';

export const SETTINGS = `
  SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
  SET enable_hashjoin = off SET enable_mergejoin = off`;

/** The smallest cursor of the chat `c`, of which some member has just moved on from `read_by_all_seq`. */
export const READ_BY_ALL = `
  CASE WHEN EXISTS (SELECT FROM chat_members m WHERE m.chat_id = c.id AND m.last_read_seq = c.read_by_all_seq)
    THEN c.read_by_all_seq
    ELSE (SELECT min(m.last_read_seq) FROM chat_members m WHERE m.chat_id = c.id) END`;

/**
 * The members who wrote something after `after` and up to `upTo`, each with the `seq` of the newest such message. From
 * those messages, as long as they are few. Otherwise from the members, by their newest message; of those who have also
 * written later it isn't known, and they are taken, too.
 */
export const authorsOf = (chat: string, after: string, upTo: string): string => `
  SELECT x.sender_id AS user_id, max(x.seq) AS seq FROM (
    SELECT n.sender_id, n.seq FROM messages n
    WHERE ${upTo} - ${after} <= 1000 AND n.chat_id = ${chat} AND n.seq > ${after} AND n.seq <= ${upTo}
    -- With the order, only the index of the numbers will do, also for a plan made when it was empty.
    ORDER BY n.seq DESC LIMIT 1000
  ) x
  WHERE EXISTS (SELECT FROM chat_members m WHERE m.chat_id = ${chat} AND m.user_id = x.sender_id) GROUP BY x.sender_id
  UNION ALL
  SELECT m.user_id, m.last_sent_seq FROM chat_members m
  WHERE ${upTo} - ${after} > 1000 AND m.chat_id = ${chat} AND m.last_sent_seq > ${after}`;

/**
 * Appends messages in this order, in one round trip and one commit. Returns a row for each message; the first created one
 * of a chat also says who is in it and who of them wrote something that a sender here hadn't read. Then a row for each chat
 * written to, whose outcome is 'chat', with its read mark.
 */
export const APPEND = `
  CREATE FUNCTION append_messages(chats bigint[], senders bigint[], texts text[], keys text[], replies bigint[])
  RETURNS TABLE (
    outcome text, chat_id bigint, id bigint, seq bigint, at_ms bigint, cursor_before bigint, seq_before bigint,
    last_message_id bigint, member_ids bigint[], author_ids bigint[], authored_seqs bigint[], read_by_all_seq bigint
  )
  LANGUAGE plpgsql ${SETTINGS}
  AS $$
  #variable_conflict use_column
  DECLARE
    started timestamptz(3);
    careful boolean := false;
    outcomes text[];
    ids bigint[];
    seqs bigint[];
    ats timestamptz[];
    cursors bigint[];
    marks bigint[];
    befores bigint[];
  BEGIN
    -- In id order, as every batch does: two of them can't wait for each other.
    PERFORM FROM chats c WHERE c.id = ANY(append_messages.chats) ORDER BY c.id FOR UPDATE;
    -- After the lock, or it could be older than what the chat has by now.
    started := clock_timestamp();

    -- The index of the keys says for nothing that none of them is there; only if one is, they are looked up.
    LOOP
      SELECT array_agg(n.outcome ORDER BY n.ord), array_agg(n.seq ORDER BY n.ord), array_agg(n.at ORDER BY n.ord),
        array_agg(n.last_read_seq ORDER BY n.ord), array_agg(n.read_by_all_seq ORDER BY n.ord),
        array_agg(n.last_seq ORDER BY n.ord),
        array_agg(CASE WHEN n.outcome = 'created' THEN nextval('messages_id_seq') END ORDER BY n.ord)
      INTO outcomes, seqs, ats, cursors, marks, befores, ids
      FROM (
        SELECT j.ord, j.outcome, j.last_read_seq, j.read_by_all_seq, j.last_seq, greatest(started, j.last_activity_at) AS at,
          CASE j.outcome
            WHEN 'created' THEN j.last_seq + count(*) FILTER (WHERE j.outcome = 'created') OVER (PARTITION BY j.chat_id ORDER BY j.ord)
            WHEN 'replayed' THEN j.original_seq
          END AS seq
        FROM (
          SELECT i.ord, i.chat_id, c.last_seq, c.last_activity_at, c.read_by_all_seq, me.last_read_seq,
            original.seq AS original_seq,
            CASE
              WHEN me.last_read_seq IS NULL THEN 'not_a_member'
              WHEN original.sender_id = i.sender_id
                AND CASE WHEN original.sent_hash IS NULL THEN original.text = i.text
                         ELSE original.sent_hash = sha256(convert_to(i.text, 'UTF8')) END
                AND original.reply_to_id IS NOT DISTINCT FROM i.reply_to_id THEN 'replayed'
              WHEN original.seq IS NOT NULL THEN 'conflict'
              WHEN i.reply_to_id IS NOT NULL AND i.chat_id IS DISTINCT FROM (
                SELECT r.chat_id FROM messages r WHERE r.id = i.reply_to_id LIMIT 1) THEN 'no_such_reply'
              ELSE 'created'
            END AS outcome
          FROM unnest(append_messages.chats, senders, texts, keys, replies)
            WITH ORDINALITY AS i(chat_id, sender_id, text, key, reply_to_id, ord)
          LEFT JOIN chats c ON c.id = i.chat_id
          LEFT JOIN chat_members me ON me.chat_id = i.chat_id AND me.user_id = i.sender_id
          LEFT JOIN LATERAL (
            SELECT m.* FROM messages m WHERE careful AND m.chat_id = i.chat_id
              -- Said so, and with the order, only the index of the keys will do, also for a plan made when it was empty.
              AND m.client_message_id >= i.key AND m.client_message_id <= i.key ORDER BY m.client_message_id LIMIT 1
          ) original ON true
        ) j
      ) n;
      -- Before a bad reply is told, the key may have more to say.
      IF NOT careful AND 'no_such_reply' = ANY(outcomes) THEN
        careful := true;
        CONTINUE;
      END IF;

      BEGIN
        INSERT INTO messages (chat_id, seq, id, sender_id, text, client_message_id, reply_to_id, timestamp)
        SELECT i.chat_id, i.seq, i.id, i.sender_id, i.text, i.key, i.reply_to_id, i.at
        FROM unnest(append_messages.chats, senders, texts, keys, replies, outcomes, ids, seqs, ats)
          AS i(chat_id, sender_id, text, key, reply_to_id, outcome, id, seq, at)
        WHERE i.outcome = 'created';
        EXIT;
      EXCEPTION WHEN unique_violation THEN
        IF careful THEN RAISE; END IF;
        careful := true;
      END;
    END LOOP;

    RETURN QUERY
    SELECT u.outcome, u.chat_id, u.id, u.seq, (extract(epoch FROM u.at) * 1000)::bigint, u.cursor_before, u.seq_before,
      CASE WHEN u.first AND u.lowest < u.seq_before THEN (
        SELECT m.id FROM messages m WHERE m.chat_id = u.chat_id AND m.seq <= u.seq_before
        ORDER BY m.seq DESC LIMIT 1) END,
      CASE WHEN u.first THEN array(SELECT m.user_id FROM chat_members m WHERE m.chat_id = u.chat_id) END,
      authors.ids, authors.seqs, NULL::bigint
    FROM (
      SELECT i.*, i.outcome = 'created' AND row_number() OVER (PARTITION BY i.chat_id, i.outcome ORDER BY i.ord) = 1 AS first,
        min(i.cursor_before) FILTER (WHERE i.outcome = 'created') OVER (PARTITION BY i.chat_id) AS lowest
      FROM unnest(append_messages.chats, outcomes, ids, seqs, ats, cursors, befores)
        WITH ORDINALITY AS i(chat_id, outcome, id, seq, at, cursor_before, seq_before, ord)
    ) u
    LEFT JOIN LATERAL (
      SELECT array_agg(a.user_id) AS ids, array_agg(a.seq) AS seqs FROM (${authorsOf('u.chat_id', 'u.lowest', 'u.seq_before')}) a
      WHERE u.first AND u.lowest < u.seq_before
    ) authors ON true
    ORDER BY u.ord;

    UPDATE chat_members m SET last_read_seq = s.seq, last_sent_seq = s.seq
    FROM (
      SELECT i.chat_id, i.sender_id, max(i.seq) AS seq FROM unnest(append_messages.chats, senders, seqs, outcomes)
        AS i(chat_id, sender_id, seq, outcome)
      WHERE i.outcome = 'created' GROUP BY i.chat_id, i.sender_id
    ) s
    WHERE m.chat_id = s.chat_id AND m.user_id = s.sender_id;

    RETURN QUERY
    UPDATE chats c SET last_seq = n.seq, last_activity_at = n.at,
      read_by_all_seq = CASE WHEN n.moved THEN ${READ_BY_ALL} ELSE c.read_by_all_seq END
    FROM (
      SELECT i.chat_id, max(i.seq) AS seq, max(i.at) AS at, bool_or(i.cursor_before = i.mark) AS moved
      FROM unnest(append_messages.chats, seqs, ats, cursors, marks, outcomes)
        AS i(chat_id, seq, at, cursor_before, mark, outcome)
      WHERE i.outcome = 'created' GROUP BY i.chat_id
    ) n
    WHERE c.id = n.chat_id
    RETURNING 'chat', c.id, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
      NULL::bigint[], NULL::bigint[], NULL::bigint[], c.read_by_all_seq;
  END
  $$`;

/**
 * Moves the reader's cursor forward to `up_to`, never back. Returns where it was, the read mark of the chat, and the
 * members whose messages this newly reads; no row when the reader isn't in the chat.
 */
export const READ = `
  CREATE FUNCTION read_messages(chat bigint, reader bigint, up_to bigint)
  RETURNS TABLE (cursor_before bigint, read_by_all_seq bigint, author_ids bigint[])
  LANGUAGE plpgsql ${SETTINGS}
  AS $$
  #variable_conflict use_column
  DECLARE
    mark bigint;
    held bigint;
  BEGIN
    -- Under the lock: of two last readers at once, the later one must see that now all have read.
    SELECT c.read_by_all_seq INTO mark FROM chats c WHERE c.id = chat FOR UPDATE;
    SELECT m.last_read_seq INTO held FROM chat_members m WHERE m.chat_id = chat AND m.user_id = reader;
    IF NOT FOUND THEN
      RETURN;
    END IF;
    IF held < up_to THEN
      UPDATE chat_members m SET last_read_seq = up_to WHERE m.chat_id = chat AND m.user_id = reader;
    END IF;
    IF held < up_to AND held = mark THEN
      UPDATE chats c SET read_by_all_seq = ${READ_BY_ALL} WHERE c.id = chat RETURNING c.read_by_all_seq INTO mark;
    END IF;
    RETURN QUERY SELECT held, mark, array(
      SELECT a.user_id FROM (${authorsOf('chat', 'held', 'up_to')}) a WHERE held < up_to AND a.user_id <> reader);
  END
  $$`;

/**
 * Read marks that cost no scan of the members, and functions for the two writes of a busy chat: an append and a read.
 *
 * `chats.read_by_all_seq` is the smallest cursor of the chat, moved only when the last member who stood there moves on.
 * `chat_members.last_sent_seq` says whose messages a read newly reads when those are many. Neither is indexed, so moving a cursor touches
 * no index; the index that served the smallest cursor before grew a dead entry with each move.
 *
 * PL/pgSQL, because under READ COMMITTED each of its statements takes a fresh snapshot: those after the lock see all that
 * was committed before it was granted. Their plans are kept, perhaps from when the tables were empty, so scans and hash
 * joins are ruled out: every look-up here is by a key.
 */
export class ReadMarks1795489200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE chats ADD read_by_all_seq bigint NOT NULL DEFAULT 0');
    await runner.query('ALTER TABLE chat_members ADD last_sent_seq bigint NOT NULL DEFAULT 0');
    await runner.query(`
      UPDATE chats c SET read_by_all_seq = m.seq
      FROM (SELECT chat_id, min(last_read_seq) AS seq FROM chat_members GROUP BY chat_id) m
      WHERE m.chat_id = c.id AND m.seq > 0
    `);
    await runner.query(`
      UPDATE chat_members m SET last_sent_seq = s.seq
      FROM (SELECT chat_id, sender_id, max(seq) AS seq FROM messages GROUP BY chat_id, sender_id) s
      WHERE s.chat_id = m.chat_id AND s.sender_id = m.user_id
    `);
    await runner.query('DROP INDEX chat_members_cursor');
    // Room on each page for the next version of a row, which then needs no new index entry.
    await runner.query('ALTER TABLE chats SET (fillfactor = 75)');
    await runner.query('ALTER TABLE chat_members SET (fillfactor = 75)');
    await runner.query('DROP FUNCTION append_messages');
    await runner.query(APPEND);
    await runner.query(READ);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION read_messages');
    await runner.query('DROP FUNCTION append_messages');
    await runner.query('ALTER TABLE chat_members RESET (fillfactor)');
    await runner.query('ALTER TABLE chats RESET (fillfactor)');
    await runner.query('CREATE INDEX chat_members_cursor ON chat_members (chat_id, last_read_seq)');
    await runner.query('ALTER TABLE chat_members DROP COLUMN last_sent_seq');
    await runner.query('ALTER TABLE chats DROP COLUMN read_by_all_seq');
    await new AppendMessages1795316400000().up(runner);
  }
}
