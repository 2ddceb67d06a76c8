import { rm } from 'node:fs/promises';

export default async function globalTeardown() {
  const { server, dir } = globalThis.testPostgres;
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}
