import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../database/embedded-postgres.js';

/** Runs `work` against a temporary, empty PostgreSQL, which is removed afterwards. */
export async function withScratchPostgres<T>(work: (url: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'windi-scratch-'));
  const server = await EmbeddedPostgres.start(dir, ['-c', 'fsync=off']);
  try {
    return await work(server.url);
  } finally {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
