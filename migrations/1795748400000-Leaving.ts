import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Accounts that are closed and then erased, and where the messages are of those who have left a group. */
export class Leaving1795748400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE users
        ALTER email DROP NOT NULL,
        ALTER password_hash DROP NOT NULL,
        ADD closed_at timestamptz(3),
        ADD erased_at timestamptz(3)
    `);
    await runner.query('CREATE INDEX users_to_erase ON users (id) WHERE closed_at IS NOT NULL AND erased_at IS NULL');
    await runner.query(`
      CREATE TABLE former_members (
        user_id bigint NOT NULL,
        chat_id bigint NOT NULL,
        CONSTRAINT former_members_pkey PRIMARY KEY (user_id, chat_id)
      )
    `);
    await runner.query(`
      INSERT INTO former_members (user_id, chat_id)
      SELECT DISTINCT m.sender_id, m.chat_id FROM messages m JOIN chats c ON c.id = m.chat_id AND c.deleted_at IS NULL
      WHERE NOT EXISTS (SELECT FROM chat_members me WHERE me.chat_id = m.chat_id AND me.user_id = m.sender_id)
    `);
    await runner.query(
      'ALTER TABLE former_members ADD CONSTRAINT former_members_user_fkey FOREIGN KEY (user_id) REFERENCES users(id)',
    );
    await runner.query(
      `ALTER TABLE former_members
         ADD CONSTRAINT former_members_chat_fkey FOREIGN KEY (chat_id) REFERENCES chats(id) ON DELETE CASCADE`,
    );
    // Without it, removing a chat would look through all of them.
    await runner.query('CREATE INDEX former_members_chat ON former_members (chat_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE former_members');
    await runner.query('DROP INDEX users_to_erase');
    // An account that is closed stays so: nobody knows such an email or has such a password.
    await runner.query(`UPDATE users SET email = 'closed-' || id, password_hash = '' WHERE closed_at IS NOT NULL`);
    await runner.query(`
      ALTER TABLE users
        DROP closed_at,
        DROP erased_at,
        ALTER email SET NOT NULL,
        ALTER password_hash SET NOT NULL
    `);
  }
}
