import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

const templateUrl = (): string => process.env.TEST_DATABASE_URL!;

/** Runs SQL on the run's PostgreSQL, outside any application. */
export async function onDatabase<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Resolves when so many statements, with this in their text, wait for a lock; asks again and again, as nothing tells. */
export async function waitingForLock(client: Client, count = 1, text = ''): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND position($1 IN query) > 0`;
  // Within a transaction PostgreSQL shows the same again, unless told to forget it.
  do await client.query('SELECT pg_stat_clear_snapshot()');
  while (((await client.query(waiting, [text])).rowCount ?? 0) < count);
}

const maintenanceUrl = (): string => withDatabase('postgres');

function withDatabase(name: string): string {
  const url = new URL(templateUrl());
  url.pathname = `/${name}`;
  return url.href;
}

/** A migrated database of its own, or an empty one. */
export async function createDatabase({ empty = false } = {}): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const template = empty ? 'template0' : new URL(templateUrl()).pathname.slice(1);
  await onDatabase(maintenanceUrl(), (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  const drop = async (): Promise<void> => {
    await onDatabase(maintenanceUrl(), (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
  };
  return { url: withDatabase(name), drop };
}
