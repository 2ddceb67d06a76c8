import type { MigrationInterface, QueryRunner } from 'typeorm';
import { APPEND_TOLD } from './1795575600000-ChatChanges.js';

/** `append_messages` as before, but with one more outcome: what was stored before the block is still found by its key. */
const APPEND_UNLESS_BLOCKED = replaced(
  APPEND_TOLD,
  [
    `WHEN original.seq IS NOT NULL THEN 'conflict'`,
    `WHEN original.seq IS NOT NULL THEN 'conflict' WHEN c.blocked THEN 'blocked'`,
  ],
  [
    `-- Before a bad reply is told, the key may have more to say.
      IF NOT careful AND 'no_such_reply' = ANY(outcomes) THEN`,
    `-- Before a refusal is told, the key may have more to say.
      IF NOT careful AND outcomes && ARRAY['no_such_reply', 'blocked'] THEN`,
  ],
);

function replaced(text: string, ...changes: [from: string, to: string][]): string {
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`append_messages has no ${from}`);
    text = text.replace(from, to);
  }
  return text;
}

/**
 * Who blocks whom, and with each private chat whether one of its two blocks the other: the append has the chat's row
 * before it anyway, under the lock that a block takes, too.
 */
export class Blocks1795662000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE blocks (
        blocker_id bigint NOT NULL,
        blocked_id bigint NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT blocks_pkey PRIMARY KEY (blocker_id, blocked_id)
      )
    `);
    await runner.query('CREATE INDEX blocks_blocked ON blocks (blocked_id, blocker_id)');
    await runner.query(
      'ALTER TABLE blocks ADD CONSTRAINT blocks_blocker_fkey FOREIGN KEY (blocker_id) REFERENCES users(id)',
    );
    await runner.query(
      'ALTER TABLE blocks ADD CONSTRAINT blocks_blocked_fkey FOREIGN KEY (blocked_id) REFERENCES users(id)',
    );
    await runner.query('ALTER TABLE chats ADD blocked boolean NOT NULL DEFAULT false');
    await runner.query('DROP FUNCTION append_messages');
    await runner.query(APPEND_UNLESS_BLOCKED);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION append_messages');
    await runner.query(APPEND_TOLD);
    await runner.query('ALTER TABLE chats DROP COLUMN blocked');
    await runner.query('DROP TABLE blocks');
  }
}
