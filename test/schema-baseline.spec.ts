import { createDatabase, onDatabase } from './support/database.js';
import { request } from './support/http.js';
import { inTemporaryFolder, ServerProcess } from './support/server-process.js';

/** Starts the built application on databases of this baseline and of older ones. */
describe('schema baseline', () => {
  afterEach(() => ServerProcess.stopAll());

  const OLD = ['InitialSchema1795312800000', 'AppendMessages1795316400000', 'Leaving1795748400000'];
  const tables = `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname`;
  const stored = 'SELECT * FROM migrations ORDER BY id';

  /** Checks that the application refuses the database in one line, and does not change it. */
  const expectRefusal = async (url: string, env: Record<string, string> = {}): Promise<void> => {
    const contents = () =>
      onDatabase(url, async (client) => [(await client.query(tables)).rows, (await client.query(stored)).rows]);
    const before = await contents();
    await inTemporaryFolder(async (dir) => {
      const server = ServerProcess.start(dir, { DATABASE_URL: url, ...env });
      expect(await server.exitCode()).toBe(1);
      expect(server.output.trim()).toMatch(/^The database was made by an earlier .* before 0\.1\.0: .*DATA_DIR\.$/);
    });
    expect(await contents()).toEqual(before);
  };

  it.each(['true', 'false'])(
    'refuses a database of an earlier development version in one line, with MIGRATE_ON_START=%s',
    async (MIGRATE_ON_START) => {
      const old = await createDatabase({ empty: true });
      await onDatabase(old.url, async (client) => {
        await client.query('CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint, name varchar)');
        await client.query('INSERT INTO migrations (name) SELECT unnest($1::text[])', [OLD]);
      });
      await expectRefusal(old.url, { MIGRATE_ON_START });
      await old.drop();
    },
  );

  it('refuses a database that another text of the baseline made', async () => {
    const old = await createDatabase();
    await onDatabase(old.url, (client) =>
      client.query(`UPDATE migrations SET name = regexp_replace(name, '[0-9a-f]{64}', repeat('0', 64))`),
    );
    await expectRefusal(old.url);
    await old.drop();
  });

  it('starts on a database that it has migrated, with and without MIGRATE_ON_START', async () => {
    const empty = await createDatabase({ empty: true });
    for (const MIGRATE_ON_START of ['true', 'true', 'false']) {
      await inTemporaryFolder(async (dir) => {
        const server = ServerProcess.start(dir, { DATABASE_URL: empty.url, MIGRATE_ON_START });
        expect((await request(await server.url(), 'GET', '/health/ready')).status).toBe(200);
        expect(await server.stop('SIGTERM')).toBe(0);
      });
    }
    await empty.drop();
  }, 60_000);
});
