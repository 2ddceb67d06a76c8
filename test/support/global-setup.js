import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// Compiled files: jest transforms the imports of specs, but not those of its global setup. `npm test` builds first.
import { dataSourceOptions } from '../../dist/src/database/data-source-options.js';
import { EmbeddedPostgres } from '../../dist/src/database/embedded-postgres.js';
import { migrate } from '../../dist/src/database/migrate.js';

/** Starts one PostgreSQL for the whole run, with a migrated database that each spec file clones; and the log of test/wire/. */
export default async function globalSetup() {
  const url = process.env.TEST_POSTGRES_URL ?? (await startPostgres());
  await migrate(dataSourceOptions(url, 1));
  process.env.TEST_DATABASE_URL = url;
  process.env.WIRE_LOG = await mkdtemp(join(tmpdir(), 'windi-wire-'));
}

async function startPostgres() {
  const dir = await mkdtemp(join(tmpdir(), 'windi-test-'));
  // The data is deleted after the run, so it need not survive a crash of the machine.
  const server = await EmbeddedPostgres.start(dir, ['-c', 'fsync=off', '-c', 'max_connections=300']);
  globalThis.testPostgres = { server, dir };
  return server.url;
}
