import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  normalizeIp,
  ThrottlerGuard,
  type ThrottlerLimitDetail,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../common/errors/app-error.js';
import type { Principal } from '../common/principal.js';
import { type AppConfig, appConfig } from '../config/app.config.js';

/**
 * Limits what one user asks for over HTTP or, where nobody is logged in, one address. It comes after the guard that finds
 * out who asks: people behind one address don't share a limit once they are logged in. A bad token costs some
 * microseconds and is counted nowhere. The headers `X-RateLimit-…` are on each answer of a limited route.
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
    const { user, ip } = request as unknown as FastifyRequest & { user?: Principal };
    return Promise.resolve(user ? `user:${user.userId}` : normalizeIp(ip));
  }

  /** One budget for all routes that don't have their own (`@RateLimit`). */
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
