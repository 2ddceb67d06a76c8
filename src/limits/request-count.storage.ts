import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { BUDGETS } from './budgets.js';
import { RateLimiterFactory } from './rate-limiter.factory.js';

type Hits = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * The storage of `@nestjs/throttler` on `RateLimiterFactory`. (The published storage for Redis isn't used: it waits for
 * Redis when it is unavailable.)
 */
@Injectable()
export class RequestCountStorage implements ThrottlerStorage {
  private readonly limiter: RateLimiterAbstract;

  constructor(limiters: RateLimiterFactory) {
    this.limiter = limiters.create('http', BUDGETS.requests);
  }

  /** Counts a hit of a key whose window has `ttl` milliseconds. The times it returns are in seconds. */
  async increment(key: string, ttl: number, limit: number): Promise<Hits> {
    const { consumedPoints, msBeforeNext } = await this.limiter.penalty(key, 1, { customDuration: ttl / 1000 });
    const secondsLeft = Math.ceil(msBeforeNext / 1000);
    return {
      totalHits: consumedPoints,
      timeToExpire: secondsLeft,
      isBlocked: consumedPoints > limit,
      timeToBlockExpire: secondsLeft,
    };
  }
}
