import { spawnSync } from 'node:child_process';

export { RedisServer } from './redis-server.js';

const isInstalled = spawnSync('redis-server', ['--version']).status === 0;

/** `describe` for specs that need Redis. Without a redis-server they are skipped, in a line that says so; in CI they fail. */
export const describeWithRedis = isInstalled || process.env.CI ? describe : describe.skip;

if (!isInstalled) {
  process.stderr.write(`${expect.getState().testPath} needs redis-server on the PATH (Debian: redis-server).\n`);
}
