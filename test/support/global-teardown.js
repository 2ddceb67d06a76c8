import { rm } from 'node:fs/promises';

/** Stops the PostgreSQL that global-setup.js has started, and deletes its data. */
export default async function globalTeardown() {
  if (!globalThis.testPostgres) return; // TEST_POSTGRES_URL names a server that the run did not start.
  const { server, dir } = globalThis.testPostgres;
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}
