import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

const templateUrl = (): string => process.env.TEST_DATABASE_URL!;

// The databases of the specs, on the one PostgreSQL that global-setup.js starts.

/** Connects to a database, outside any application, and passes the client to `work`. */
export async function onDatabase<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Resolves when `count` statements that contain `text` wait for a lock. Polls, as PostgreSQL sends no notification. */
export async function waitingForLock(client: Client, count = 1, text = ''): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND position($1 IN query) > 0`;
  // Within a transaction PostgreSQL returns the same statistics again unless the snapshot is cleared.
  do await client.query('SELECT pg_stat_clear_snapshot()');
  while (((await client.query(waiting, [text])).rowCount ?? 0) < count);
}

const maintenanceUrl = (): string => withDatabase('postgres');

function withDatabase(name: string): string {
  const url = new URL(templateUrl());
  url.pathname = `/${name}`;
  return url.href;
}

/** Creates a database for one spec file: a clone of the migrated one, or an empty one. */
export async function createDatabase({ empty = false } = {}): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const template = empty ? 'template0' : new URL(templateUrl()).pathname.slice(1);
  await onDatabase(maintenanceUrl(), (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  const drop = async (): Promise<void> => {
    await onDatabase(maintenanceUrl(), (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
  };
  return { url: withDatabase(name), drop };
}
