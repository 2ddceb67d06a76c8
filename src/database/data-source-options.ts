import { types } from 'pg';
import type { DataSourceOptions } from 'typeorm';
import { migrations } from './migrations.js';
import { CircuitBreakerPool } from './circuit-breaker.pool.js';

/** `bigint` as a number: ids and counters are JSON integers in the contract. @throws RangeError past 2^53. */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('a bigint of the database is past 2^53');
  return value;
}

// pg hands int8 out as a string because it may not fit a number; ours do, and what doesn't is refused.
types.setTypeParser(types.builtins.INT8, parseInt8);

/** The type `bigint[]`, which pg has no name and its types no place for. Ours hold no nulls. */
const INT8_ARRAY = 1016 as never;
types.setTypeParser(INT8_ARRAY, (text) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(parseInt8)));

/** Nothing waits for ever on a PostgreSQL that is away or silent: sends answer within 3 s (architecture, section 4). */
const TIMEOUTS = {
  connectTimeoutMS: 2_000,
  extra: {
    query_timeout: 2_900,
    statement_timeout: 2_500,
    // A node that is stopped, or cut off, in the middle of a transaction lets go of the chat it has locked.
    idle_in_transaction_session_timeout: 2_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  },
};

/** The one description of the database, for the application, its migrations and the commands. */
export function dataSourceOptions(url: string, poolSize: number): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    poolSize,
    applicationName: 'windi-chat',
    ...TIMEOUTS,
    driver: { Pool: CircuitBreakerPool },
    migrations,
    migrationsTableName: 'migrations',
    synchronize: false,
    logging: false,
    // An idle connection that breaks is replaced by the pool; without a handler the error would end the process.
    poolErrorHandler: () => undefined,
  };
}
