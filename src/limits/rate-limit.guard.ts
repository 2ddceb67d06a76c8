import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard,
  type ThrottlerLimitDetail,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import { AppError } from '../common/errors/app-error.js';
import { type AddressedRequest, networkOf } from '../common/http/client-address.js';
import type { Principal } from '../common/principal.js';
import { type AppConfig, appConfig } from '../config/app.config.js';

/**
 * The global rate limit of HTTP: counts the requests of a user or, without a token, of an address. It runs after
 * `JwtAuthGuard`, which finds the user: so logged-in people behind one address don't share a limit. A request with a
 * bad token is refused before this guard; it costs some microseconds and isn't counted. Every answer of a limited route
 * has the headers `X-RateLimit-…`. The commands of sockets have `CommandLimitGuard`.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
  ) {
    super(options, storage, reflector);
  }

  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    return Promise.resolve(!this.config.rateLimit || context.getType() !== 'http');
  }

  protected override getTracker(request: Record<string, unknown>): Promise<string> {
    const { user, address } = request as unknown as AddressedRequest & { user?: Principal };
    return Promise.resolve(user ? `user:${user.userId}` : `address:${networkOf(address)}`);
  }

  /** All routes without a budget of their own (`@RateLimit`) share one counter. */
  protected override generateKey(_: ExecutionContext, tracker: string): string {
    return `requests:${tracker}`;
  }

  protected override throwThrottlingException(
    context: ExecutionContext,
    { limit, timeToBlockExpire }: ThrottlerLimitDetail,
  ): Promise<void> {
    void context
      .switchToHttp()
      .getResponse<FastifyReply>()
      .headers({
        [`${this.headerPrefix}-Limit`]: limit,
        [`${this.headerPrefix}-Remaining`]: 0,
        [`${this.headerPrefix}-Reset`]: timeToBlockExpire,
      });
    return Promise.reject(AppError.rateLimited(timeToBlockExpire * 1000));
  }
}
