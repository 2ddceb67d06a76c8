import type { AppConfig } from '../src/config/app.config.js';
import { createDatabase, onDatabase } from './support/database.js';
import { inTemporaryFolder, ServerProcess } from './support/server-process.js';
import { TestApp } from './support/test-app.js';

/** Starts the application on databases of this baseline and of older ones. */
describe('schema baseline', () => {
  afterEach(() => ServerProcess.stopAll());

  const REFUSAL = /^The database was made by an earlier .* before 0\.1\.0: .*DATA_DIR\.$/;
  const OLD = ['InitialSchema1795312800000', 'AppendMessages1795316400000', 'Leaving1795748400000'];
  const tables = `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname`;
  const stored = 'SELECT * FROM migrations ORDER BY id';

  const contentsOf = (url: string) =>
    onDatabase(url, async (client) => [(await client.query(tables)).rows, (await client.query(stored)).rows]);

  /** Checks that the application refuses the database, and does not change it. */
  const expectRefusal = async (databaseUrl: string, overrides: Partial<AppConfig> = {}): Promise<void> => {
    const before = await contentsOf(databaseUrl);
    const start = TestApp.start({ databaseUrl, ...overrides });
    await expect(start).rejects.toMatchObject({ name: 'StartupError', message: expect.stringMatching(REFUSAL) });
    expect(await contentsOf(databaseUrl)).toEqual(before);
  };

  /** An empty database with the list of migrations of an earlier development version. */
  const oldDatabase = async () => {
    const old = await createDatabase({ empty: true });
    await onDatabase(old.url, async (client) => {
      await client.query('CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint, name varchar)');
      await client.query('INSERT INTO migrations (name) SELECT unnest($1::text[])', [OLD]);
    });
    return old;
  };

  it('of an earlier development version is refused in one line', async () => {
    const old = await oldDatabase();
    await inTemporaryFolder(async (dir) => {
      const server = ServerProcess.start(dir, { DATABASE_URL: old.url });
      expect(await server.exitCode()).toBe(1);
      expect(server.output.trim()).toMatch(REFUSAL);
    });
    await old.drop();
  });

  it.each([true, false])(
    'of an earlier development version is left as it is, with MIGRATE_ON_START=%s',
    async (migrateOnStart) => {
      const old = await oldDatabase();
      await expectRefusal(old.url, { migrateOnStart });
      await old.drop();
    },
  );

  it('of another text is refused', async () => {
    const old = await createDatabase();
    await onDatabase(old.url, (client) =>
      client.query(`UPDATE migrations SET name = regexp_replace(name, '[0-9a-f]{64}', repeat('0', 64))`),
    );
    await expectRefusal(old.url);
    await old.drop();
  });

  it('that the application has made is accepted, with and without MIGRATE_ON_START', async () => {
    const empty = await createDatabase({ empty: true });
    for (const migrateOnStart of [true, true, false]) {
      const app = await TestApp.start({ databaseUrl: empty.url, migrateOnStart });
      expect((await app.request('GET', '/health/ready')).status).toBe(200);
      await app.close();
    }
    await empty.drop();
  });
});
