import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The append of the message log: many messages of many chats in one round trip and one commit.
 *
 * PL/pgSQL, because under READ COMMITTED each of its statements takes a fresh snapshot: the second one sees all that was
 * committed before the locks were granted. One plain statement would look at members and keys as they were before it waited.
 * Its plans are kept, perhaps from when the tables were empty, so scans and hash joins are ruled out: every look-up here
 * is by a key.
 */
export class AppendMessages1795316400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION append_messages(chats bigint[], senders bigint[], texts text[], keys text[], replies bigint[])
      RETURNS TABLE (
        ord bigint, outcome text, id bigint, chat_id bigint, sender_id bigint, text text, "timestamp" timestamptz,
        client_message_id varchar, seq bigint, change_seq bigint, reply_to_id bigint, edited_at timestamptz,
        deleted_at timestamptz, read_by_all_seq bigint, member_ids bigint[], cursor_before bigint, seq_before bigint,
        last_message_id bigint, unread_senders bigint[]
      )
      LANGUAGE plpgsql
      SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
      AS $$
      #variable_conflict use_column
      DECLARE
        started timestamptz(3);
      BEGIN
        -- In id order, as every batch does: two of them can't wait for each other.
        PERFORM FROM chats c WHERE c.id = ANY(append_messages.chats) ORDER BY c.id FOR UPDATE;
        -- After the lock, or it could be older than what the chat has by now.
        started := clock_timestamp();

        RETURN QUERY
        WITH input AS (
          SELECT * FROM unnest(append_messages.chats, senders, texts, keys, replies)
            WITH ORDINALITY AS i(chat_id, sender_id, text, key, reply_to_id, ord)
        ), judged AS MATERIALIZED (
          SELECT i.*, c.last_seq, c.last_activity_at, me.last_read_seq, original.seq AS original_seq,
            CASE
              WHEN me.user_id IS NULL THEN 'not_a_member'
              WHEN original.sender_id = i.sender_id
                AND CASE WHEN original.sent_hash IS NULL THEN original.text = i.text
                         ELSE original.sent_hash = sha256(convert_to(i.text, 'UTF8')) END
                AND original.reply_to_id IS NOT DISTINCT FROM i.reply_to_id THEN 'replayed'
              WHEN original.id IS NOT NULL THEN 'conflict'
              WHEN i.reply_to_id IS NOT NULL AND answered.id IS NULL THEN 'no_such_reply'
              ELSE 'created'
            END AS outcome
          FROM input i
          LEFT JOIN chats c ON c.id = i.chat_id
          LEFT JOIN chat_members me ON me.chat_id = i.chat_id AND me.user_id = i.sender_id
          LEFT JOIN messages original ON original.chat_id = i.chat_id AND original.client_message_id = i.key
          LEFT JOIN messages answered ON answered.id = i.reply_to_id AND answered.chat_id = i.chat_id
        ), numbered AS MATERIALIZED (
          SELECT j.*, j.last_seq + row_number() OVER (PARTITION BY j.chat_id ORDER BY j.ord) AS seq,
            greatest(started, j.last_activity_at) AS at,
            row_number() OVER (PARTITION BY j.chat_id ORDER BY j.ord) = 1 AS first_of_chat,
            row_number() OVER (PARTITION BY j.chat_id, j.sender_id ORDER BY j.ord) = 1 AS first_of_sender
          FROM judged j WHERE j.outcome = 'created'
        ), inserted AS (
          INSERT INTO messages (chat_id, seq, sender_id, text, client_message_id, reply_to_id, timestamp)
          SELECT n.chat_id, n.seq, n.sender_id, n.text, n.key, n.reply_to_id, n.at FROM numbered n ORDER BY n.ord
          RETURNING *
        ), cursors AS MATERIALIZED (
          SELECT n.chat_id, n.sender_id, max(n.seq) AS seq FROM numbered n GROUP BY n.chat_id, n.sender_id
        ), moved_chats AS (
          UPDATE chats c SET last_seq = n.seq, last_activity_at = n.at
          FROM (SELECT chat_id, max(seq) AS seq, max(at) AS at FROM numbered GROUP BY chat_id) n WHERE c.id = n.chat_id
        ), moved_cursors AS (
          UPDATE chat_members m SET last_read_seq = s.seq FROM cursors s
          WHERE m.chat_id = s.chat_id AND m.user_id = s.sender_id
        ), found AS (
          SELECT * FROM inserted
          UNION ALL
          SELECT DISTINCT m.* FROM judged j JOIN messages m ON m.chat_id = j.chat_id AND m.seq = j.original_seq
          WHERE j.outcome = 'replayed'
        )
        SELECT j.ord, j.outcome, f.id, j.chat_id, f.sender_id, f.text, f.timestamp, f.client_message_id, f.seq, f.change_seq,
          f.reply_to_id, f.edited_at, f.deleted_at,
          CASE WHEN f.id IS NOT NULL THEN (
            -- The smallest cursor as it will be at the commit: of those who don't write here, and of those who do.
            SELECT least(
              (SELECT m.last_read_seq FROM chat_members m WHERE m.chat_id = j.chat_id AND NOT EXISTS (
                 SELECT FROM cursors s WHERE s.chat_id = m.chat_id AND s.sender_id = m.user_id)
               ORDER BY m.last_read_seq LIMIT 1),
              (SELECT min(s.seq) FROM cursors s WHERE s.chat_id = j.chat_id))
          ) END,
          CASE WHEN n.first_of_chat THEN (
            SELECT array_agg(m.user_id) FROM chat_members m WHERE m.chat_id = j.chat_id) END,
          j.last_read_seq, j.last_seq,
          CASE WHEN n.first_of_sender AND j.last_read_seq < j.last_seq THEN (
            SELECT m.id FROM messages m WHERE m.chat_id = j.chat_id AND m.seq = j.last_seq) END,
          CASE WHEN n.first_of_sender AND j.last_read_seq < j.last_seq THEN (
            SELECT array_agg(DISTINCT m.sender_id) FROM messages m
            JOIN chat_members c ON c.chat_id = m.chat_id AND c.user_id = m.sender_id
            WHERE m.chat_id = j.chat_id AND m.seq > j.last_read_seq AND m.seq <= j.last_seq AND m.sender_id <> j.sender_id) END
        FROM judged j
        LEFT JOIN numbered n ON n.ord = j.ord
        LEFT JOIN found f ON f.chat_id = j.chat_id AND f.seq = coalesce(n.seq, j.original_seq)
        ORDER BY j.ord;
      END
      $$
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION append_messages');
  }
}
