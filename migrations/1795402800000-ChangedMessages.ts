import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What `sync` sends of several chats, up to `room` messages in all: of each chat, in the order given, the messages
 * `from` … `to` by `seq`, then those up to `seen` that changed after `since`, by `change_seq`. Without a `since` the
 * messages come all together or, with less than one to spare, not at all.
 *
 * PL/pgSQL, because it stops where the room ends: it reads no row that it doesn't return, whatever number of chats and of
 * changes there is. Stable, so that all of it sees what the calling statement sees.
 */
export class ChangedMessages1795402800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION changed_messages(
        reader bigint, chats bigint[], froms bigint[], tos bigint[], seens bigint[], sinces bigint[], room integer
      )
      RETURNS SETOF messages
      LANGUAGE plpgsql STABLE
      SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
      AS $$
      DECLARE
        returned integer;
      BEGIN
        FOR i IN 1 .. cardinality(chats) LOOP
          CONTINUE WHEN NOT EXISTS (SELECT FROM chat_members m WHERE m.chat_id = chats[i] AND m.user_id = reader);
          EXIT WHEN sinces[i] IS NULL AND room <= tos[i] - froms[i] + 1;
          RETURN QUERY SELECT m.* FROM messages m
            WHERE m.chat_id = chats[i] AND m.seq BETWEEN froms[i] AND tos[i] ORDER BY m.seq LIMIT room;
          GET DIAGNOSTICS returned = ROW_COUNT;
          room := room - returned;
          EXIT WHEN room = 0;
          RETURN QUERY SELECT m.* FROM messages m
            WHERE m.chat_id = chats[i] AND m.change_seq > sinces[i] AND m.seq <= seens[i] ORDER BY m.change_seq LIMIT room;
          GET DIAGNOSTICS returned = ROW_COUNT;
          room := room - returned;
          EXIT WHEN room = 0;
        END LOOP;
      END
      $$
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION changed_messages');
  }
}
