import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Refresh tokens, and what a session shows of itself. A session from before has no refresh token, so it ends here and its
 * person logs in once more; its row stays for a day, for as long as its access tokens have to be refused.
 */
export class Sessions1795323600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE sessions
        ADD user_agent text,
        ADD address text NOT NULL DEFAULT '',
        ADD last_used_at timestamptz(3) NOT NULL DEFAULT now(),
        ADD current_hash bytea NOT NULL DEFAULT '',
        ADD previous_hash bytea,
        ADD rotation_key bytea,
        ADD expires_at timestamptz(3) NOT NULL DEFAULT now() + interval '1 day',
        ADD revoked_xid bigint
    `);
    await runner.query(`UPDATE sessions SET revoked_xid = pg_current_xact_id()::text::bigint`);
    await runner.query(`
      ALTER TABLE sessions
        ALTER address DROP DEFAULT,
        ALTER current_hash DROP DEFAULT,
        ALTER expires_at DROP DEFAULT
    `);
    await runner.query(`CREATE INDEX sessions_expiry ON sessions (expires_at)`);
    await runner.query(`CREATE INDEX sessions_revoked ON sessions (revoked_xid) WHERE revoked_xid IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE sessions
        DROP user_agent, DROP address, DROP last_used_at, DROP current_hash, DROP previous_hash, DROP rotation_key,
        DROP expires_at, DROP revoked_xid
    `);
  }
}
