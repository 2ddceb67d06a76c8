import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { PollingLoop } from '../common/polling-loop.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { SessionsRevoked } from './session.events.js';
import { SessionsRepository } from './sessions.repository.js';

/**
 * How often a node polls for sessions that other nodes have revoked, in milliseconds. Clients are promised one second.
 */
const POLL_INTERVAL_MS = 500;

/** How old a read may be that a request or a command relies on, in milliseconds. */
const MAX_AGE_MS = 1_000;

/**
 * How far the clock of the database may step back, in seconds: when another server takes over, for one. A token from
 * later than that is refused, as it would outlive the memory of its revocation.
 */
export const CLOCK_MARGIN = 300;

/** For how many seconds a revoked session is remembered: as long as an access token of it may be valid on any node. */
export const retentionSeconds = ({ accessTokenTtlSeconds }: AppConfig): number => accessTokenTtlSeconds + CLOCK_MARGIN;

/**
 * The revoked sessions whose access tokens may still be valid. `TokensService` and `WsJwtGuard` ask `has` at each
 * request and command, so the registry is in memory. Ids come in three ways:
 * - the database is read before the node listens;
 * - a session revoked on this node, or announced by another node over Redis, arrives as `SessionsRevoked`;
 * - a poll twice a second finds what other nodes have revoked, and publishes it as `SessionsRevoked`.
 *
 * A process that was stopped (SIGSTOP), or cut off from the database, has missed polls. It serves no request on what it
 * knew before: the guards call `ensureFresh` first.
 *
 * The poll reads from the low watermark on, a transaction id: what earlier transactions revoked has been seen. It
 * advances only with a successful read, so an unavailable database delays ids and loses none. No session can end
 * meanwhile, since that is a write to the same database.
 */
@Injectable()
export class RevokedSessionsRegistry implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(RevokedSessionsRegistry.name);
  /**
   * When each id can be forgotten, in milliseconds since the process started. In the order of insertion, so the oldest
   * come first.
   */
  private readonly forgetAt = new Map<string, number>();
  private lowWatermark = 0;
  /** When the last successful read began, in milliseconds since the process started. */
  private readAt = -Infinity;
  private readonly polling = new PollingLoop(this.logger, 'revocations', POLL_INTERVAL_MS, () => this.poll());

  constructor(
    private readonly sessions: SessionsRepository,
    private readonly events: DomainEventBus,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
  ) {
    // In the constructor, so that this handler is the first: later handlers of the event may call `has`.
    events.on(SessionsRevoked, (event) => this.remember(event));
  }

  /** Whether the session has ended. */
  has(sessionId: string): boolean {
    return this.forgetAt.has(sessionId);
  }

  /**
   * Resolves when all is known that was revoked a second ago. Undefined if it is already, as it nearly always is, so that
   * no request waits in vain.
   * @throws AppError `unavailable` when the database can't be read
   */
  ensureFresh(): Promise<void> | undefined {
    const now = performance.now();
    return now - this.readAt < MAX_AGE_MS ? undefined : this.readAfter(now);
  }

  async onModuleInit(): Promise<void> {
    await this.read();
  }

  onApplicationBootstrap(): void {
    this.polling.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.polling.stop();
  }

  private async poll(): Promise<void> {
    this.forget();
    await this.read();
  }

  /** Reads at `time` or later. The run that may be under way counts only if it began then. */
  private async readAfter(time: number): Promise<void> {
    await this.polling.runNow();
    if (this.readAt < time) await this.polling.runNow();
    if (this.readAt < time) throw new AppError('unavailable', "The database can't be asked who has logged out.");
  }

  private async read(): Promise<void> {
    const start = performance.now();
    const { sessions, lowWatermark } = await this.sessions.revokedSince(this.lowWatermark);
    this.lowWatermark = lowWatermark;
    const unknown = sessions.filter(({ id }) => !this.has(id));
    if (unknown.length > 0) void this.events.publish(new SessionsRevoked(unknown, 'elsewhere'));
    this.readAt = start;
  }

  private remember({ sessions, reason }: SessionsRevoked): void {
    const forgetAt = performance.now() + retentionSeconds(this.config) * 1000;
    for (const { id, userId } of sessions) {
      this.forgetAt.set(id, forgetAt);
      if (reason === 'elsewhere') continue;
      this.logger.log({ event: 'session.ended', user_id: userId, session_id: id, reason });
    }
  }

  private forget(): void {
    const now = performance.now();
    for (const [id, forgetAt] of this.forgetAt) {
      if (forgetAt > now) break;
      this.forgetAt.delete(id);
    }
  }
}
