import { Injectable } from '@nestjs/common';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../common/errors/app-error.js';
import { RedisService } from '../redis/redis.service.js';
import type { Budget } from './budgets.js';

/** Counts what somebody does in a window of time: in Redis for all nodes, in memory without Redis and while it is away. */
@Injectable()
export class RateLimiterFactory {
  constructor(private readonly redis: RedisService) {}

  /** The counter of a budget; `name` tells it from the others. */
  create(name: string, { limit, seconds }: Budget): RateLimiterAbstract {
    const options = { keyPrefix: `limit:${name}`, points: limit, duration: seconds };
    const inMemory = new RateLimiterMemory(options);
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

/** Counts one. @throws AppError `rate_limited` when that was one too many */
export async function consume(limiter: RateLimiterAbstract, key: string, detail?: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (error) {
    throw error instanceof RateLimiterRes ? AppError.rateLimited(error.msBeforeNext, detail) : error;
  }
}
