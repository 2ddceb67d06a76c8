import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { DataSource } from 'typeorm';
import { CircuitBreakerPool } from './circuit-breaker.pool.js';
import type { ConnectionOptions } from './data-source-options.js';

/**
 * One connection beside the pool, for the polls that must not wait behind the messages: whether the database can be
 * written to, and which sessions have ended. It is made when it is needed, and again after it was lost. It runs one
 * statement at a time; each commits by itself.
 */
@Injectable()
export class PollingConnection implements OnApplicationShutdown {
  private readonly pool: CircuitBreakerPool;

  constructor(dataSource: DataSource) {
    const { url, applicationName, connectTimeoutMS, extra } = dataSource.options as unknown as ConnectionOptions;
    this.pool = new CircuitBreakerPool({
      connectionString: url,
      application_name: applicationName,
      connectionTimeoutMillis: connectTimeoutMS,
      max: 1,
      ...extra,
    });
    // A connection that breaks is replaced. Without these handlers, for an idle one and for one that is used, the error
    // would end the process.
    this.pool.on('error', () => undefined);
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /** The rows of a statement. @throws the error of pg; `isDatabaseUnavailable` knows it */
  async query<T extends QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    const client = await this.pool.connect();
    try {
      const { rows } = await client.query<T>(text, values);
      client.release();
      return rows;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}
