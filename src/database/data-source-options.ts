import { type PoolConfig, types } from 'pg';
import type { DataSourceOptions } from 'typeorm';
import { migrations } from './migrations.js';
import { CircuitBreakerPool } from './circuit-breaker.pool.js';
import { sessionOptions } from './session-settings.js';

/**
 * Parses a `bigint` as a number: ids and counters are numbers on the wire (`src/contract/`).
 * @throws RangeError for a value past 2^53, which a number can't hold
 */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('a bigint of the database is past 2^53');
  return value;
}

// By default pg returns int8 as a string, because it may not fit a number. Our values do; others are refused.
types.setTypeParser(types.builtins.INT8, parseInt8);

/** The OID of `bigint[]`: pg's `builtins` and typings lack it. Our arrays hold no nulls. */
const INT8_ARRAY = 1016 as never;
types.setTypeParser(INT8_ARRAY, (text) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(parseInt8)));

/**
 * The settings of the session, and the timeouts of the client, in milliseconds. Nothing waits for ever for an
 * unavailable or unresponsive PostgreSQL: an attempt to connect ends within 2 s, and a statement within 3 s. The
 * server's timeout of a statement (`SESSION_SETTINGS`) is shorter than the client's. So a slow statement ends with an
 * error of the server, and only a missing answer opens the circuit breaker (`circuit-breaker.pool.ts`).
 * docs/architecture.md has more about it.
 */
const CONNECTION = {
  connectTimeoutMS: 2_000,
  extra: {
    query_timeout: 2_900,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: sessionOptions(),
  },
};

/** Those of the options below that say how to connect. */
export interface ConnectionOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly connectTimeoutMS: number;
  readonly extra: PoolConfig;
}

/**
 * The one description of the database connection, for the application, its migrations and the commands in
 * `src/commands/`.
 */
export function dataSourceOptions(url: string, poolSize: number): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    poolSize,
    applicationName: 'windi-chat',
    ...CONNECTION,
    driver: { Pool: CircuitBreakerPool },
    migrations,
    migrationsTableName: 'migrations',
    synchronize: false,
    logging: false,
    // The pool replaces an idle connection that breaks. Without a handler the error would end the process.
    poolErrorHandler: () => undefined,
  };
}
