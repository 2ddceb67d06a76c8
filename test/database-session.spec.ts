import { createDatabase, onDatabase } from './support/database.js';
import { describeWithPgBouncer, PgBouncer, preparesStatements } from './support/pgbouncer.js';
import { TestApp, unique } from './support/test-app.js';

type Database = Awaited<ReturnType<typeof createDatabase>>;

/** Gives the sessions with this database other settings by default, as its administrator may have done. */
const alter = (database: Database, settings: Record<string, string>): Promise<void> =>
  onDatabase(database.url, async (client) => {
    const name = new URL(database.url).pathname.slice(1);
    for (const [key, value] of Object.entries(settings)) {
      await client.query(`ALTER DATABASE ${name} SET ${key} = '${value}'`);
    }
  });

/** The names of the tables of a database. */
const tablesOf = (url: string): Promise<string[]> =>
  onDatabase(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
    );
    return rows.map(({ name }) => name);
  });

/** Starts a node, which must refuse in one line. Returns that line. */
const refusal = async (databaseUrl: string): Promise<string> => {
  const error: unknown = await TestApp.start({ databaseUrl }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'StartupError' });
  const { message } = error as Error;
  expect(message).not.toContain('\n');
  return message;
};

/** A person finds another one, both write, and all of it arrives in order, over every kind of statement. */
const serves = async (databaseUrl: string): Promise<void> => {
  const app = await TestApp.start({ databaseUrl });
  const [ada, bob] = [await app.user('Ada'), await app.user('Борис')];
  const [found] = (await ada.get(`/users?query=${encodeURIComponent('борис')}`)).body;
  expect(found.id).toBe(bob.id);
  const chat = await ada.group(bob);
  const device = await bob.device();
  const sent = await Promise.all(Array.from({ length: 20 }, (_, index) => ada.say(chat, `message ${index}`)));
  await device.until(() => device.all('message:created').length === 20);
  const seconds = Math.abs(Date.parse(sent[0]!.timestamp) - Date.now()) / 1000;
  expect(seconds).toBeLessThan(60);
  expect((await ada.patch(`/messages/${sent[0]!.id}`, { text: 'better' })).status).toBe(200);
  expect((await bob.post(`/messages/${sent[19]!.id}/read`)).body).toMatchObject({ is_read: true });
  expect(await device.command('sync', { cursors: {} })).toMatchObject({
    ok: true,
    data: { chats: [{ last_seq: 20 }] },
  });
  await app.close();
};

describe('database session', () => {
  let database: Database;
  beforeEach(async () => (database = await createDatabase()));
  afterEach(() => database.drop());

  it('has the settings that the application needs, whatever those of the database are', async () => {
    await alter(database, {
      DateStyle: 'German, DMY',
      TimeZone: 'Asia/Kathmandu',
      default_transaction_isolation: 'serializable',
      search_path: 'somewhere',
      statement_timeout: '1',
    });
    await serves(database.url);
  });

  it('is refused in one line when the URL takes the place of these settings', async () => {
    const line = await refusal(`${database.url}?options=-c%20TimeZone%3DAsia/Kathmandu`);
    expect(line).toMatch(/^The sessions of DATABASE_URL have TimeZone = Asia\/Kathmandu, .*: /);
    expect(line).toContain("ALTER ROLE CURRENT_USER SET TimeZone = 'UTC'; ");
  });

  it.each([
    ['LC_CTYPE C', 'UTF8', "LOCALE_PROVIDER libc LOCALE 'C'"],
    ['the encoding SQL_ASCII', 'SQL_ASCII', "LOCALE_PROVIDER libc LOCALE 'C' ENCODING SQL_ASCII"],
  ])('is refused in one line, before anything is written, with %s', async (_, encoding, options) => {
    const name = `test_letters_${process.pid}_${unique()}`;
    const other = new URL(database.url);
    other.pathname = `/${name}`;
    await onDatabase(database.url, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE template0 ${options}`));
    expect(await refusal(other.href)).toMatch(
      new RegExp(`^The database of DATABASE_URL can't tell the letters of other alphabets .*encoding is ${encoding}`),
    );
    expect(await tablesOf(other.href)).toEqual([]);
    await onDatabase(database.url, (client) => client.query(`DROP DATABASE ${name}`));
  });

  describeWithPgBouncer('through PgBouncer in transaction mode', () => {
    let pooler: PgBouncer;
    afterEach(() => pooler.stop());

    /** What a role must give its sessions, as PgBouncer leaves it out. */
    const ROLE = { search_path: 'public', statement_timeout: '2500ms', idle_in_transaction_session_timeout: '2s' };

    it('is refused in one line when PgBouncer refuses the settings', async () => {
      pooler = await PgBouncer.inFrontOf(database.url);
      expect(await refusal(pooler.url)).toMatch(
        /^The pooler of DATABASE_URL refuses .*in PgBouncer, 1\.21 or newer .* set ignore_startup_parameters = options\.$/,
      );
    });

    it('is refused in one line when PgBouncer leaves the settings out and the role has none', async () => {
      pooler = await PgBouncer.inFrontOf(database.url, 'ignore_startup_parameters = options');
      expect(await refusal(pooler.url)).toMatch(
        / statement_timeout = 0, .*ALTER ROLE CURRENT_USER SET statement_timeout/,
      );
    });

    const UNPREPARED = /prepared statements .*PgBouncer in transaction mode works from 1\.21 on/;
    const lines = ['ignore_startup_parameters = options', 'default_pool_size = 3'];

    it('works from 1.21 on, also on an empty database and with fewer sessions than connections; before, it is refused in one line', async () => {
      const empty = await createDatabase({ empty: true });
      await alter(empty, { ...ROLE, TimeZone: 'UTC' });
      const prepared = preparesStatements ? ['max_prepared_statements = 200'] : [];
      pooler = await PgBouncer.inFrontOf(empty.url, ...lines, ...prepared);
      if (preparesStatements) await serves(pooler.url);
      else expect(await refusal(pooler.url)).toMatch(UNPREPARED);
      await pooler.stop();
      await empty.drop();
    });

    it('is refused in one line when PgBouncer does not prepare statements', async () => {
      await alter(database, { ...ROLE, TimeZone: 'UTC' });
      const off = preparesStatements ? ['max_prepared_statements = 0'] : [];
      pooler = await PgBouncer.inFrontOf(database.url, ...lines, ...off);
      expect(await refusal(pooler.url)).toMatch(UNPREPARED);
    });
  });
});
