import { DataSource, type DataSourceOptions, MigrationExecutor, type QueryRunner } from 'typeorm';
import { StartupError } from '../common/errors/startup-error.js';
import { isDatabaseUnavailable } from '../common/errors/to-app-error.js';
import { baselineName } from './migrations.js';
import { requireServer } from './require-server.js';
import { sessionOptions } from './session-settings.js';

/** The key of the advisory lock of migrations: one node migrates, the others wait. TypeORM itself takes no lock. */
const MIGRATION_LOCK = 0x6d696772;
/** How long to wait for a database that can't be reached, in milliseconds. */
const WAIT_FOR_DATABASE_MS = 30_000;

/**
 * Brings the schema up to date. `DatabaseModule` calls it before the application connects. It waits up to 30 s for a
 * database that is still starting. Several nodes may start at once. All is done in one transaction: so the lock and the
 * settings are kept behind a pooler, too, which lends another session to each transaction.
 * @throws StartupError when the database stays unavailable, refuses us, isn't as `requireServer` needs it, or was made
 * by another baseline.
 */
export async function migrate(options: DataSourceOptions): Promise<void> {
  await withDatabase(options, (source) =>
    source.transaction(async ({ queryRunner }) => {
      const runner = queryRunner!;
      // A migration, and the wait for that of another node, may take longer than a statement of the application.
      await runner.query('SET LOCAL statement_timeout = 0');
      await runner.query('SET LOCAL idle_in_transaction_session_timeout = 0');
      await runner.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      await requireBaseline(runner);
      await new MigrationExecutor(source, runner).executePendingMigrations();
    }),
  );
}

/**
 * Checks the server, and that the database was not made by another baseline. It only reads, and waits as `migrate`
 * does. A database without migrations is accepted.
 * @throws StartupError as `migrate` does.
 */
export async function checkBaseline(options: DataSourceOptions): Promise<void> {
  await withDatabase(options, (source) => source.transaction(({ queryRunner }) => requireBaseline(queryRunner!)));
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
 * Runs `work` on a data source of its own, with the session of the application, but without its pool and the timeouts
 * of its client. The server has been checked then.
 */
async function withDatabase(options: DataSourceOptions, work: (source: DataSource) => Promise<void>): Promise<void> {
  const extra = { options: sessionOptions() };
  const source = new DataSource({ ...options, driver: undefined, extra, poolSize: 2 } as DataSourceOptions);
  await connect(source);
  try {
    await requireServer(source);
    await work(source);
  } catch (error) {
    throw isDatabaseUnavailable(error) ? unusable(error) : error;
  } finally {
    await source.destroy();
  }
}

/** Connects, and tries again while the database is unavailable. @throws StartupError */
async function connect(source: DataSource): Promise<void> {
  const deadline = performance.now() + WAIT_FOR_DATABASE_MS;
  for (;;) {
    try {
      await source.initialize();
      return;
    } catch (error) {
      if (!isDatabaseUnavailable(error) || isRefusedByPooler(error) || performance.now() > deadline)
        throw unusable(error);
      await new Promise((wake) => setTimeout(wake, 500));
    }
  }
}

/** Whether PgBouncer refuses the connection for the settings that it asks for. */
const isRefusedByPooler = (error: unknown): boolean => /unsupported startup parameter/.test((error as Error).message);

/** The line for a database that can't be used for this reason. */
function unusable(error: unknown): StartupError {
  const { code = 'no answer', message } = error as { code?: string; message: string };
  return new StartupError(
    isRefusedByPooler(error)
      ? `The pooler of DATABASE_URL refuses the settings of a session (${message}): in PgBouncer, 1.21 or newer for transaction mode, set ignore_startup_parameters = options.`
      : `The database of DATABASE_URL can't be used (${code}).`,
  );
}
