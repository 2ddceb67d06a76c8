import { rm } from 'node:fs/promises';

/** Stops the PostgreSQL that global-setup.js has started, and deletes its data and the log of test/wire/. */
export default async function globalTeardown() {
  await rm(process.env.WIRE_LOG, { recursive: true, force: true });
  if (!globalThis.testPostgres) return; // TEST_POSTGRES_URL names a server that the run did not start.
  const { server, dir } = globalThis.testPostgres;
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}
