import { Global, Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { BUDGETS } from './budgets.js';
import { RequestCountStorage } from './request-count.storage.js';
import { RateLimiterFactory } from './rate-limiter.factory.js';

/** The counters, which `auth` and `realtime` also use for limits of their own. */
@Global()
@Module({ providers: [RateLimiterFactory, RequestCountStorage], exports: [RateLimiterFactory, RequestCountStorage] })
class CountersModule {}

/**
 * Rate limits for HTTP and the counters of all limits. `AuthModule` binds `RateLimitGuard`, because it must run after
 * the token guard.
 */
@Module({
  imports: [
    CountersModule,
    ThrottlerModule.forRootAsync({
      inject: [RequestCountStorage],
      useFactory: (storage: RequestCountStorage) => ({
        storage,
        throttlers: [{ limit: BUDGETS.requests.limit, ttl: BUDGETS.requests.seconds * 1000 }],
      }),
    }),
  ],
})
export class LimitsModule {}
