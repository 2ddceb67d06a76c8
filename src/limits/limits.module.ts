import { Global, Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { BUDGETS } from './budgets.js';
import { RequestCountStorage } from './request-count.storage.js';
import { RateLimiterFactory } from './rate-limiter.factory.js';

@Global()
@Module({ providers: [RateLimiterFactory, RequestCountStorage], exports: [RateLimiterFactory, RequestCountStorage] })
class CountersModule {}

/** Limits for whoever asks too much. The guard of the routes is bound after the one of tokens, in `AuthModule`. */
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
