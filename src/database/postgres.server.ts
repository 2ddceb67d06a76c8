import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { EmbeddedPostgres } from './embedded-postgres.js';

/** The pause before the embedded server is started again, in milliseconds: the first one, and the longest. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * The PostgreSQL of the application: that of `DATABASE_URL`, or else the embedded one. It starts the embedded server,
 * and stops it after the connection pool has ended. When that server ends by itself (its disk is full, it was killed),
 * it is started again at the same address. Each pause before a start is twice the one before, until a server has run for
 * as long as the longest pause. Meanwhile the node isn't ready (`DatabaseMonitor`).
 */
@Injectable()
export class PostgresServer implements OnApplicationShutdown {
  private readonly logger = new Logger(PostgresServer.name);
  private readonly stopping = new AbortController();
  private embedded: EmbeddedPostgres | undefined;
  private keeping: Promise<void> | undefined;
  /** Whether the embedded server has ended, and is not started again yet. */
  hasEnded = false;

  constructor(@Inject(appConfig.KEY) private readonly config: AppConfig) {}

  /** The URL of the server. The first call starts the embedded one, if it is needed. */
  async url(): Promise<string> {
    if (this.config.databaseUrl) return this.config.databaseUrl;
    this.embedded ??= await EmbeddedPostgres.start(this.config.dataDir);
    const { url } = this.embedded;
    this.keeping ??= this.keepRunning(Number(new URL(url).port));
    return url;
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.embedded?.stop();
    await this.keeping;
  }

  /** Starts the server again on this port whenever it has ended. Resolves after the application has begun to stop. */
  private async keepRunning(port: number): Promise<void> {
    const { signal } = this.stopping;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const since = performance.now();
      const lastLine = await this.embedded!.ended;
      this.hasEnded = true;
      if (performance.now() - since > LONGEST_PAUSE_MS) pauseMs = FIRST_PAUSE_MS;
      if (!signal.aborted) this.logger.error({ event: 'postgres.ended', reason: lastLine, start_in_ms: pauseMs });
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.startAgain(port);
    }
  }

  /** One try. If it fails, `embedded` stays the server that has ended. */
  private async startAgain(port: number): Promise<void> {
    try {
      this.embedded = await EmbeddedPostgres.start(this.config.dataDir, [], port);
      this.hasEnded = false;
      this.logger.log({ event: 'postgres.started' });
      if (this.stopping.signal.aborted) await this.embedded.stop();
    } catch (err) {
      this.logger.error({ err, event: 'postgres.not_started' });
    }
  }
}
