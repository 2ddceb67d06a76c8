import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { DataSource } from 'typeorm';
import { PollingLoop } from '../common/polling-loop.js';
import type { CircuitBreakerPool } from './circuit-breaker.pool.js';
import { DatabaseClock } from './database.clock.js';
import { PollingConnection } from './polling.connection.js';
import { PostgresServer } from './postgres.server.js';

/** How often it looks, in milliseconds. */
const POLL_INTERVAL_MS = 1_000;
/** How old the last look may be for the node to be ready, in milliseconds. A node that slept has an older one. */
const MAX_AGE_MS = 3_000;

/**
 * Looks at the database once a second, on `PollingConnection`: whether it can be written to, and what time it is there
 * (`DatabaseClock`). However many ask whether the node is ready, the database is asked once a second.
 */
@Injectable()
export class DatabaseMonitor implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  /** When the database was last found to be writable, in milliseconds of the process's clock. */
  private writableAt = -Infinity;
  private readonly polling = new PollingLoop(new Logger(DatabaseMonitor.name), 'database', POLL_INTERVAL_MS, () =>
    this.look(),
  );

  constructor(
    private readonly connection: PollingConnection,
    private readonly clock: DatabaseClock,
    private readonly dataSource: DataSource,
    private readonly server: PostgresServer,
  ) {}

  /**
   * Whether the database answers and can be written to, and the pool of the messages is in use. The end of the embedded
   * server is known at once.
   */
  get isReady(): boolean {
    const { master } = this.dataSource.driver as unknown as { master: CircuitBreakerPool };
    return performance.now() - this.writableAt < MAX_AGE_MS && !master.isOpen && !this.server.hasEnded;
  }

  async onModuleInit(): Promise<void> {
    await this.look();
  }

  onApplicationBootstrap(): void {
    this.polling.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.polling.stop();
  }

  private async look(): Promise<void> {
    const start = performance.now();
    let isWritable = false;
    try {
      // A server in recovery, a standby, is read-only by this setting, too.
      const rows = await this.connection.query<{ writable: boolean; now: number }>(
        `SELECT current_setting('transaction_read_only') = 'off' AS writable,
           extract(epoch FROM clock_timestamp())::float8 * 1000 AS now`,
      );
      const { writable, now } = rows[0]!;
      this.clock.measured(now, start, performance.now());
      isWritable = writable;
    } finally {
      this.writableAt = isWritable ? start : -Infinity;
    }
  }
}
