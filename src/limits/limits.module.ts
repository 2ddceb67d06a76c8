import { Global, Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { BUDGETS } from './budgets.js';
import { CountedRequests } from './request-count.storage.js';
import { Counters } from './rate-limiter.factory.js';

@Global()
@Module({ providers: [Counters, CountedRequests], exports: [Counters, CountedRequests] })
class CountersModule {}

/** Limits for whoever asks too much. The guard of the routes is bound after the one of tokens, in `AuthModule`. */
@Module({
  imports: [
    CountersModule,
    ThrottlerModule.forRootAsync({
      inject: [CountedRequests],
      useFactory: (storage: CountedRequests) => ({
        storage,
        throttlers: [{ limit: BUDGETS.requests.limit, ttl: BUDGETS.requests.seconds * 1000 }],
      }),
    }),
  ],
})
export class LimitsModule {}
