import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { type AppConfig, appConfig } from '../config/app.config.js';

/**
 * With an unavailable Redis a command fails at once; with an unresponsive one, after two seconds. So nothing piles up
 * in this process. (By default ioredis queues commands without a bound, and waits forever for an unresponsive server.)
 */
const OPTIONS: RedisOptions = {
  connectTimeout: 2_000,
  socketTimeout: 2_000,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: (attempt) => Math.min(attempt * 50, 1_000),
};

/**
 * The connections to `REDIS_URL`. An unavailable Redis is an ordinary state: the application works on without it, and
 * the log has a line when it begins and when it ends. Callers must handle failing commands.
 */
@Injectable()
export class RedisService implements OnApplicationShutdown {
  private readonly logger = new Logger(RedisService.name);
  private readonly connections: Redis[] = [];

  /** The connection for commands. They fail at once while it isn't `ready`. Undefined without `REDIS_URL`. */
  readonly client: Redis | undefined;

  constructor(@Inject(appConfig.KEY) private readonly config: AppConfig) {
    this.client = this.connect('commands');
  }

  /** Opens another connection, such as for a subscriber; it reconnects by itself. Undefined without `REDIS_URL`. */
  connect(purpose: string): Redis | undefined {
    if (!this.config.redisUrl) return undefined;
    const redis = new Redis(this.config.redisUrl, OPTIONS);
    let ready: boolean | undefined;
    redis.on('ready', () => {
      ready = true;
      this.logger.log({ event: 'redis.ready', purpose });
    });
    // Without a handler an error would end the process.
    redis.on('error', (err: Error) => {
      if (ready !== false) this.logger.warn({ err, event: 'redis.away', purpose });
      ready = false;
    });
    this.connections.push(redis);
    return redis;
  }

  onApplicationShutdown(): void {
    for (const redis of this.connections) redis.disconnect();
  }
}
