import type { Client } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { StartupError } from '../common/errors/startup-error.js';
import { SESSION_SETTINGS } from './session-settings.js';

/**
 * Checks that the server, and the pooler that may be in front of it, give our statements what they rely on. It writes
 * nothing. `migrate.ts` calls it before anything is read or written.
 * @throws StartupError that says what to change
 */
export async function requireServer(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner();
  try {
    await requireSettings(runner);
    await requireLetters(runner);
    await requirePreparedStatements(runner, source);
  } finally {
    await runner.release();
  }
}

/** Each session has the settings of `SESSION_SETTINGS`. */
async function requireSettings(runner: QueryRunner): Promise<void> {
  const rows = (await runner.query(
    'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) WITH ORDINALITY AS s(name, ord) ORDER BY ord',
    [Object.keys(SESSION_SETTINGS)],
  )) as { name: string; value: string }[];
  const wrong = rows.filter(({ name, value }) => value !== SESSION_SETTINGS[name]);
  if (wrong.length === 0) return;
  const found = wrong.map(({ name, value }) => `${name} = ${value}`).join(', ');
  const mended = wrong
    .map(({ name }) => `ALTER ROLE CURRENT_USER SET ${name} = '${SESSION_SETTINGS[name]}'`)
    .join('; ');
  throw new StartupError(
    `The sessions of DATABASE_URL have ${found}: the settings that we ask for are left out, by a pooler or by "options" in the URL. Give them to the role: ${mended}.`,
  );
}

/**
 * The database knows the letters of all alphabets. One that folds only those of English would find nobody who is named
 * in Cyrillic, and take one email for two.
 */
async function requireLetters(runner: QueryRunner): Promise<void> {
  const [{ encoding }] = (await runner.query(`SELECT current_setting('server_encoding') AS encoding`)) as [
    { encoding: string },
  ];
  if (encoding === 'UTF8') {
    const known = (await runner.query(`SELECT WHERE lower('Ж') = 'ж' AND 'ж' ~ '^[[:alnum:]]$'`)) as object[];
    if (known.length > 0) return;
  }
  throw new StartupError(
    `The database of DATABASE_URL can't tell the letters of other alphabets (its encoding is ${encoding}, its LC_CTYPE probably C): create it anew with the encoding UTF8 and a locale such as C.UTF-8.`,
  );
}

/**
 * A statement that is prepared once works in every later transaction. A pooler in transaction mode that doesn't
 * translate the names of statements mixes up those of all its clients.
 */
async function requirePreparedStatements(runner: QueryRunner, source: DataSource): Promise<void> {
  const name = 'require_server';
  const text = `SELECT pg_backend_pid() AS pid, EXISTS (SELECT FROM pg_prepared_statements WHERE name = '${name}') AS kept`;
  const client = (await runner.connect()) as Client & { readonly processID: number };
  const { rows } = await client.query<{ pid: number; kept: boolean }>({ name, text });
  const { pid, kept } = rows[0]!;
  // A pooler invents the id that it gives its clients, and one that translates statements renames them.
  if (pid === client.processID || !kept || !(await isLent(pid, source))) return;
  throw new StartupError(
    'The pooler of DATABASE_URL mixes up the prepared statements of its clients. PgBouncer in transaction mode works from 1.21 on, with max_prepared_statements above 0.',
  );
}

/**
 * Whether the server process that has just served one connection is lent to another one: the pooler is in transaction
 * mode.
 */
async function isLent(pid: number, source: DataSource): Promise<boolean> {
  return source.transaction(async (manager) => {
    const rows: { pid: number }[] = await manager.query('SELECT pg_backend_pid() AS pid');
    return rows[0]!.pid === pid;
  });
}
