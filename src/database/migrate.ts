import { DataSource, type DataSourceOptions } from 'typeorm';
import { StartupError } from '../common/errors/startup-error.js';
import { isDatabaseUnavailable } from '../common/errors/to-app-error.js';

/** One node migrates, the others wait: TypeORM itself takes no lock. */
const MIGRATION_LOCK = 0x6d696772;
const WAIT_FOR_DATABASE_MS = 30_000;

/**
 * Brings the schema up to date. Waits up to 30 s for a database that is still starting; safe when several nodes start at once.
 * @throws StartupError when the database stays away or refuses us.
 */
export async function migrate(options: DataSourceOptions): Promise<void> {
  // Its own source: a migration may take longer than the application's pool waits.
  const source = new DataSource({ ...options, driver: undefined, extra: {}, poolSize: 2 } as DataSourceOptions);
  await connect(source);
  const runner = source.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await source.runMigrations({ transaction: 'each' });
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await runner.release();
    await source.destroy();
  }
}

async function connect(source: DataSource): Promise<void> {
  const deadline = Date.now() + WAIT_FOR_DATABASE_MS;
  for (;;) {
    try {
      await source.initialize();
      return;
    } catch (error) {
      const reason = (error as { code?: string }).code ?? 'no answer';
      if (!isDatabaseUnavailable(error) || Date.now() > deadline) {
        throw new StartupError(`The database of DATABASE_URL can't be used (${reason}).`);
      }
      await new Promise((wake) => setTimeout(wake, 500));
    }
  }
}
