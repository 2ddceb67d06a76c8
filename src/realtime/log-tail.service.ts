import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { LogReader } from '../messages/log-reader.js';
import { ChatFeed } from './chat-feed.js';
import { LogHorizon } from './log-horizon.js';

/** How often a node looks at the log by itself, in milliseconds: what nobody told it of is told within 5 s. */
const LOOK_MS = 2_000;

/** For how long the rows of `chat_changes` are kept, in milliseconds: a socket that lives has heard of them long before. */
const KEPT_MS = 600_000;

/**
 * Looks at the log every two seconds, for what a crash between commit and telling has left out, or a hint that was lost;
 * without Redis, for all that other nodes write. While the database is away it goes on from where it was.
 */
@Injectable()
export class LogTail implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(LogTail.name);
  /** Where the log ended at times past, in milliseconds of the process's clock; the oldest first. */
  private readonly ends: { readonly at: number; readonly changeId: number }[] = [];
  private inReach = true;
  private work: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly log: LogReader,
    private readonly feed: ChatFeed,
    private readonly horizon: LogHorizon,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  /** Looks now; resolves when what was found has been told, or the database is away. */
  look(): Promise<void> {
    return (this.work ??= this.tryToFollow());
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.work;
  }

  /** Says so once when the database is away, and once when it is back. */
  private async tryToFollow(): Promise<void> {
    try {
      await this.follow();
      if (!this.inReach) this.logger.log({ event: 'log.in_reach' });
      this.inReach = true;
    } catch (err) {
      if (this.inReach) this.logger.warn({ err, event: 'log.out_of_reach' });
      this.inReach = false;
    }
    this.work = undefined;
  }

  private async follow(): Promise<void> {
    const at = performance.now();
    const moves = await this.log.movesSince(this.horizon.mark);
    await this.feed.follow(moves);
    this.horizon.confirm(at, moves.newest);
    this.feed.forget();
    await this.forgetChanges(at, moves.newest.changeId);
  }

  private async forgetChanges(at: number, changeId: number): Promise<void> {
    if (this.ends.length === 0 || at - this.ends.at(-1)!.at > KEPT_MS / 10) this.ends.push({ at, changeId });
    if (at - this.ends[0]!.at > KEPT_MS) await this.log.forgetChanges(this.ends.shift()!.changeId);
  }
}
