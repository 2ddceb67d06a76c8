import { spawnSync } from 'node:child_process';
import { describeWith } from './describe-with.js';

export { RedisServer } from './redis-server.js';

/** `describe` for specs that need redis-server: they are skipped where it is missing. */
export const describeWithRedis = describeWith(
  spawnSync('redis-server', ['--version']).status === 0,
  'redis-server on the PATH (Debian: redis-server)',
);
