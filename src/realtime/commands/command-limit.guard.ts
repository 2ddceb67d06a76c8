import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../../common/errors/app-error.js';
import { type AppConfig, appConfig } from '../../config/app.config.js';
import { BoundedMemoryLimiter } from '../../limits/bounded-memory.limiter.js';
import type { ChatSocket } from '../chat-socket.js';
import type { ClientToServerEvents } from '../../contract/events.js';

/** At most `points` commands in a window of `duration` seconds. The first command starts the window. */
interface Limit {
  readonly points: number;
  readonly duration: number;
}

/**
 * The rate limits of one user, over all their sockets on this node. No person needs as much. docs/realtime.md lists
 * them.
 */
export const COMMAND_LIMITS: Readonly<Record<keyof ClientToServerEvents, Limit>> = {
  'message:send': { points: 100, duration: 5 },
  'message:edit': { points: 50, duration: 5 },
  'message:delete': { points: 50, duration: 5 },
  'message:read': { points: 150, duration: 5 },
  typing: { points: 50, duration: 5 },
  sync: { points: 100, duration: 5 },
  'auth:refresh': { points: 100, duration: 60 },
};

/**
 * Enforces `COMMAND_LIMITS`. `RealtimeGateway` binds it to every command, after `WsJwtGuard`. The counts are in memory,
 * so each node counts for itself. `RATE_LIMIT=off` switches it off.
 */
@Injectable()
export class CommandLimitGuard implements CanActivate {
  private readonly limiters = new Map(
    Object.entries(COMMAND_LIMITS).map(([event, limit]) => [event, new BoundedMemoryLimiter(limit)]),
  );

  constructor(@Inject(appConfig.KEY) private readonly config: AppConfig) {}

  /** @throws AppError `rate_limited`, with the time until the window ends */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!this.config.rateLimit) return true;
    const ws = context.switchToWs();
    const { userId } = ws.getClient<ChatSocket>().data.principal;
    await this.limiters.get(ws.getPattern())!.consume(userId).catch(refuse);
    return true;
  }
}

function refuse({ msBeforeNext }: RateLimiterRes): never {
  throw AppError.rateLimited(msBeforeNext);
}
