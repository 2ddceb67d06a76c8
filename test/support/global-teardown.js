import { rm } from 'node:fs/promises';

export default async function globalTeardown() {
  if (!globalThis.testPostgres) return; // That of TEST_POSTGRES_URL.
  const { server, dir } = globalThis.testPostgres;
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}
