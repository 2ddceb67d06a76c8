import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { PollingLoop } from '../../common/polling-loop.js';
import { LogReader } from '../../messages/log.reader.js';
import { ChatFeed } from './chat.feed.js';
import { LogWatermark } from './log.watermark.js';

/** How often a node looks at the log by itself, in milliseconds: what nobody told it of is told within 5 s. */
const POLL_INTERVAL_MS = 2_000;

/** For how long the rows of `chat_changes` are kept, in milliseconds: a socket that lives has heard of them long before. */
const KEPT_MS = 600_000;

/**
 * Looks at the log every two seconds, for what a crash between commit and telling has left out, or a hint that was lost;
 * without Redis, for all that other nodes write. While the database is away it goes on from where it was.
 */
@Injectable()
export class LogTailPoller implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(LogTailPoller.name);
  /** Where the log ended at times past, in milliseconds of the process's clock; the oldest first. */
  private readonly ends: { readonly at: number; readonly changeId: number }[] = [];
  private readonly polling = new PollingLoop(this.logger, 'log', POLL_INTERVAL_MS, () => this.follow());

  constructor(
    private readonly log: LogReader,
    private readonly feed: ChatFeed,
    private readonly watermark: LogWatermark,
  ) {}

  onApplicationBootstrap(): void {
    this.polling.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.polling.stop();
  }

  /** Looks now; resolves when what was found has been told, or the database is away. */
  poll(): Promise<void> {
    return this.polling.runNow();
  }

  private async follow(): Promise<void> {
    const at = performance.now();
    const moves = await this.log.advancesSince(this.watermark.position);
    await this.feed.follow(moves);
    this.watermark.confirm(at, moves.newest);
    this.feed.forget();
    await this.forgetChanges(at, moves.newest.changeId);
  }

  private async forgetChanges(at: number, changeId: number): Promise<void> {
    if (this.ends.length === 0 || at - this.ends.at(-1)!.at > KEPT_MS / 10) this.ends.push({ at, changeId });
    if (at - this.ends[0]!.at > KEPT_MS) await this.log.forgetChanges(this.ends.shift()!.changeId);
  }
}
