import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { type AppConfig, appConfig } from '../config/app.config.js';

/**
 * Nothing waits for a Redis that is away or silent, and nothing piles up for it: a command is answered, or refused at once
 * or after two seconds. (ioredis keeps commands in a queue without a bound otherwise, and waits for ever on a silent server.)
 */
const OPTIONS: RedisOptions = {
  connectTimeout: 2_000,
  socketTimeout: 2_000,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: (attempt) => Math.min(attempt * 50, 1_000),
};

/** The connections to `REDIS_URL`. Redis away is an ordinary state: it is logged when it begins and when it ends. */
@Injectable()
export class RedisService implements OnApplicationShutdown {
  private readonly logger = new Logger(RedisService.name);
  private readonly connections: Redis[] = [];

  /** The connection for commands, which fail at once while it isn't `ready`; undefined without `REDIS_URL`. */
  readonly client: Redis | undefined;

  constructor(@Inject(appConfig.KEY) private readonly config: AppConfig) {
    this.client = this.connect('commands');
  }

  /** One more connection, for a subscriber say; it connects by itself, again and again. Undefined without `REDIS_URL`. */
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
