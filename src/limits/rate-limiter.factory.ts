import { Injectable } from '@nestjs/common';
import { type RateLimiterAbstract, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../common/errors/app-error.js';
import { RedisService } from '../redis/redis.service.js';
import { BoundedMemoryLimiter } from './bounded-memory.limiter.js';
import type { Budget } from './budgets.js';

/**
 * Makes the counters of all rate limits. With Redis they count for all nodes together. Without `REDIS_URL`, and while
 * Redis is unavailable, each node counts in its memory.
 */
@Injectable()
export class RateLimiterFactory {
  constructor(private readonly redis: RedisService) {}

  /** The counter of a budget. `name` is part of its keys, so it must be unique. */
  create(name: string, { limit, seconds }: Budget): RateLimiterAbstract {
    const options = { keyPrefix: `limit:${name}`, points: limit, duration: seconds };
    const inMemory = new BoundedMemoryLimiter(options);
    const { client } = this.redis;
    if (!client) return inMemory;
    return new RateLimiterRedis({
      ...options,
      storeClient: client,
      rejectIfRedisNotReady: true,
      insuranceLimiter: inMemory,
    });
  }
}

/** Counts one for the key. @throws AppError `rate_limited` when the budget is used up */
export async function consume(limiter: RateLimiterAbstract, key: string, detail?: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (error) {
    throw error instanceof RateLimiterRes ? AppError.rateLimited(error.msBeforeNext, detail) : error;
  }
}
