import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { StartupError } from '../common/errors/startup-error.js';
import { isDatabaseUnavailable } from '../common/errors/to-app-error.js';
import { baselineName } from './migrations.js';

/** The key of the advisory lock of migrations: one node migrates, the others wait. TypeORM itself takes no lock. */
const MIGRATION_LOCK = 0x6d696772;
/** How long to wait for a database that can't be reached, in milliseconds. */
const WAIT_FOR_DATABASE_MS = 30_000;

/**
 * Brings the schema up to date. `DatabaseModule` calls it before the application connects. It waits up to 30 s for a
 * database that is still starting. Several nodes may start at once.
 * @throws StartupError when the database stays unavailable, refuses us, or was made by another baseline.
 */
export async function migrate(options: DataSourceOptions): Promise<void> {
  await withConnection(options, async (source, runner) => {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      await requireBaseline(runner);
      await source.runMigrations({ transaction: 'each' });
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    }
  });
}

/**
 * Checks that the database was not made by another baseline. It only reads, and waits as `migrate` does. A database
 * without migrations is accepted.
 * @throws StartupError as `migrate` does.
 */
export async function checkBaseline(options: DataSourceOptions): Promise<void> {
  await withConnection(options, (_, runner) => requireBaseline(runner));
}

/**
 * Refuses a database that another baseline has made. Until 0.1.0 is released the baseline is edited in place, so there
 * is no upgrade from another one.
 */
async function requireBaseline(runner: QueryRunner): Promise<void> {
  if (!(await runner.hasTable('migrations'))) return;
  const rows = (await runner.query('SELECT name FROM migrations')) as { name: string }[];
  if (rows.length > 0 && !rows.some(({ name }) => name === baselineName)) {
    throw new StartupError(
      'The database was made by an earlier development version, and there is no upgrade before 0.1.0: ' +
        'set DATABASE_URL to an empty database, or, without DATABASE_URL, remove the folder of DATA_DIR.',
    );
  }
}

/**
 * Runs `work` on a data source of its own, without the timeouts and the pool of the application: a migration may take
 * longer.
 */
async function withConnection(
  options: DataSourceOptions,
  work: (source: DataSource, runner: QueryRunner) => Promise<void>,
): Promise<void> {
  const source = new DataSource({ ...options, driver: undefined, extra: {}, poolSize: 2 } as DataSourceOptions);
  await connect(source);
  const runner = source.createQueryRunner();
  try {
    await work(source, runner);
  } finally {
    await runner.release();
    await source.destroy();
  }
}

/** Connects, and tries again while the database is unavailable. @throws StartupError */
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
