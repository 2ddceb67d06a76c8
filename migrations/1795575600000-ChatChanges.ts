import type { MigrationInterface, QueryRunner } from 'typeorm';
import { APPEND, authorsOf, READ, READ_BY_ALL, SETTINGS } from './1795489200000-ReadMarks.js';

/** Beyond so many members, a chat's list of them is read once and kept, not told with each message. */
const SMALL = 300;

const isSmall = (chat: string): string =>
  `coalesce((SELECT g.member_count FROM groups g WHERE g.chat_id = ${chat} LIMIT 1), 2) <= ${SMALL}`;

const memberIds = (chat: string): string => `array(SELECT m.user_id FROM chat_members m WHERE m.chat_id = ${chat})`;

/**
 * As before, and: a message knows from where on its sending read; the list of members comes only for chats that are
 * small; and the last rows say at which change and of which membership the chat is, the first ones how long it had been
 * idle, in milliseconds.
 */
export const APPEND_TOLD = `
  CREATE FUNCTION append_messages(chats bigint[], senders bigint[], texts text[], keys text[], replies bigint[])
  RETURNS TABLE (
    outcome text, chat_id bigint, id bigint, seq bigint, at_ms bigint, cursor_before bigint, seq_before bigint,
    last_message_id bigint, member_ids bigint[], author_ids bigint[], authored_seqs bigint[], read_by_all_seq bigint,
    idle_ms bigint, last_change_seq bigint, members_seq bigint
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
    idles bigint[];
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
        array_agg((extract(epoch FROM started - n.last_activity_at) * 1000)::bigint ORDER BY n.ord),
        array_agg(CASE WHEN n.outcome = 'created' THEN nextval('messages_id_seq') END ORDER BY n.ord)
      INTO outcomes, seqs, ats, cursors, marks, befores, idles, ids
      FROM (
        SELECT j.ord, j.outcome, j.last_read_seq, j.read_by_all_seq, j.last_seq, j.last_activity_at,
          greatest(started, j.last_activity_at) AS at,
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
        INSERT INTO messages (chat_id, seq, id, sender_id, text, client_message_id, reply_to_id, timestamp, read_from)
        SELECT r.chat_id, r.seq, r.id, r.sender_id, r.text, r.key, r.reply_to_id, r.at,
          CASE WHEN r.read_from < r.seq - 1 THEN r.read_from END
        FROM (
          SELECT i.*, greatest(i.cursor, lag(i.seq) OVER (PARTITION BY i.chat_id, i.sender_id ORDER BY i.seq)) AS read_from
          FROM unnest(append_messages.chats, senders, texts, keys, replies, outcomes, ids, seqs, ats, cursors)
            AS i(chat_id, sender_id, text, key, reply_to_id, outcome, id, seq, at, cursor)
          WHERE i.outcome = 'created'
        ) r;
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
      CASE WHEN u.first AND ${isSmall('u.chat_id')} THEN ${memberIds('u.chat_id')} END,
      authors.ids, authors.seqs, NULL::bigint, u.idle_ms, NULL::bigint, NULL::bigint
    FROM (
      SELECT i.*, i.outcome = 'created' AND row_number() OVER (PARTITION BY i.chat_id, i.outcome ORDER BY i.ord) = 1 AS first,
        min(i.cursor_before) FILTER (WHERE i.outcome = 'created') OVER (PARTITION BY i.chat_id) AS lowest
      FROM unnest(append_messages.chats, outcomes, ids, seqs, ats, cursors, befores, idles)
        WITH ORDINALITY AS i(chat_id, outcome, id, seq, at, cursor_before, seq_before, idle_ms, ord)
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
      NULL::bigint[], NULL::bigint[], NULL::bigint[], c.read_by_all_seq, NULL::bigint, c.last_change_seq, c.members_seq;
  END
  $$`;

/** As before, and: a read that moves the cursor leaves a row in `chat_changes`, whose id it returns. */
const READ_TOLD = `
  CREATE FUNCTION read_messages(chat bigint, reader bigint, up_to bigint, message bigint)
  RETURNS TABLE (cursor_before bigint, read_by_all_seq bigint, author_ids bigint[], change_id bigint)
  LANGUAGE plpgsql ${SETTINGS}
  AS $$
  #variable_conflict use_column
  DECLARE
    last bigint;
    mark bigint;
    held bigint;
    authors bigint[] := '{}';
    change bigint;
  BEGIN
    -- Under the lock: of two last readers at once, the later one must see that now all have read.
    SELECT c.last_seq, c.read_by_all_seq INTO last, mark FROM chats c WHERE c.id = chat FOR UPDATE;
    SELECT m.last_read_seq INTO held FROM chat_members m WHERE m.chat_id = chat AND m.user_id = reader;
    IF NOT FOUND THEN
      RETURN;
    END IF;
    IF held < up_to THEN
      UPDATE chat_members m SET last_read_seq = up_to WHERE m.chat_id = chat AND m.user_id = reader;
      IF held = mark THEN
        UPDATE chats c SET read_by_all_seq = ${READ_BY_ALL} WHERE c.id = chat RETURNING c.read_by_all_seq INTO mark;
      END IF;
      authors := array(SELECT a.user_id FROM (${authorsOf('chat', 'held', 'up_to')}) a WHERE a.user_id <> reader);
      INSERT INTO chat_changes (chat_id, seq, kind, data)
      VALUES (chat, last, 'read', jsonb_build_object(
        'message_id', message, 'reader_id', reader, 'is_read', up_to <= mark, 'seq', up_to, 'user_ids', authors || reader))
      RETURNING id INTO change;
    END IF;
    RETURN QUERY SELECT held, mark, authors, change;
  END
  $$`;

/**
 * What each node needs to tell all that was committed, whoever committed it, in its order and with nobody's help.
 *
 * Messages are found in their own table. `chat_changes` holds the rest for some minutes: edits, names, memberships, reads,
 * each written by the transaction that made it. A chat's row is locked until the commit, so within a chat the ids are in
 * the order of the commits. No foreign key: the row that tells of a deletion outlives the chat.
 */
export class ChatChanges1795575600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE chat_changes (
        chat_id bigint NOT NULL,
        id bigint GENERATED BY DEFAULT AS IDENTITY,
        seq bigint NOT NULL,
        change_seq bigint,
        kind text NOT NULL,
        data jsonb NOT NULL,
        CONSTRAINT chat_changes_pkey PRIMARY KEY (chat_id, id)
      )
    `);
    await runner.query('CREATE INDEX chat_changes_id ON chat_changes (id)');
    await runner.query('ALTER TABLE messages ADD read_from bigint');
    await runner.query('ALTER TABLE chats ADD members_seq bigint NOT NULL DEFAULT 0');
    await runner.query('DROP FUNCTION append_messages');
    await runner.query('DROP FUNCTION read_messages');
    await runner.query(APPEND_TOLD);
    await runner.query(READ_TOLD);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION read_messages');
    await runner.query('DROP FUNCTION append_messages');
    await runner.query('ALTER TABLE chats DROP COLUMN members_seq');
    await runner.query('ALTER TABLE messages DROP COLUMN read_from');
    await runner.query('DROP TABLE chat_changes');
    await runner.query(APPEND);
    await runner.query(READ);
  }
}
