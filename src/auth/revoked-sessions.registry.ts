import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { PollingLoop } from '../common/polling-loop.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { SessionsRevoked } from './session.events.js';
import { SessionsRepository } from './sessions.repository.js';

/** How often a node asks what other nodes have revoked, in milliseconds: the bound is a second. */
const POLL_INTERVAL_MS = 500;

/** How far the clocks of two nodes may be apart, in seconds: one signs a token, the other one finds it expired. */
const CLOCK_MARGIN = 300;

/** For how many seconds a revoked session has to be remembered: as long as an access token of it can be good anywhere. */
export const retentionSeconds = ({ accessTokenTtlSeconds }: AppConfig): number => accessTokenTtlSeconds + CLOCK_MARGIN;

/**
 * The sessions that ended while they had access tokens. It is asked at each request and command, so it lives in memory:
 * read from the database before the node listens, told at once of what ends here, and of what ends elsewhere by asking
 * twice a second. While the database is away nothing can end anywhere; on its return nothing is missed.
 */
@Injectable()
export class RevokedSessionsRegistry implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(RevokedSessionsRegistry.name);
  /** When each id can be forgotten, in milliseconds since the process started; the oldest first. */
  private readonly forgetAt = new Map<string, number>();
  private lowWatermark = 0;
  private readonly polling = new PollingLoop(this.logger, 'revocations', POLL_INTERVAL_MS, () => this.poll());

  constructor(
    private readonly sessions: SessionsRepository,
    private readonly events: DomainEventBus,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
  ) {
    // Before anybody else can: who hears of the event may ask `has`.
    events.on(SessionsRevoked, (event) => this.remember(event));
  }

  has(sessionId: string): boolean {
    return this.forgetAt.has(sessionId);
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

  private async read(): Promise<void> {
    const { sessions, lowWatermark: horizon } = await this.sessions.revokedSince(this.lowWatermark);
    this.lowWatermark = horizon;
    const unknown = sessions.filter(({ id }) => !this.has(id));
    if (unknown.length > 0) void this.events.publish(new SessionsRevoked(unknown, 'elsewhere'));
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
