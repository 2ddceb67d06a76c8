import { Injectable } from '@nestjs/common';
import type { LogPosition } from '../../messages/log.reader.js';

/**
 * Within this time, in milliseconds, and so many polls, a statement that has drawn an id has committed or failed: its
 * timeout is half of it. The polls make sure that PostgreSQL itself has not stood still in between.
 */
const SETTLE_MS = 5_000;
const SETTLE_POLLS = 3;

/** How long after its row's timestamp a message may be committed at the latest, in milliseconds. */
const MAX_COMMIT_DELAY_MS = 3_000;

/**
 * The low watermark of the log on this node: everything up to it has been committed, or never will be, and was seen by a
 * poll. Ids are not drawn in commit order, so the newest id that a poll returns proves nothing about lower ones. The
 * watermark therefore follows some seconds behind: it is where the log ended that long, and that many polls, ago.
 *
 * It never goes back, and it moves with polls only: while the database is unavailable it stays.
 */
@Injectable()
export class LogWatermark {
  /** The polls since the watermark, the oldest first, in milliseconds of the process's clock. */
  private polls: { readonly at: number; readonly newest: LogPosition }[] = [];

  /** Everything up to here is settled. */
  position: LogPosition = { messageId: 0, changeId: 0 };

  /** Begins at the end of the log: from here on everything is this node's to publish. */
  start(newest: LogPosition): void {
    this.position = newest;
    this.polls = [{ at: performance.now(), newest }];
  }

  /** Notes a poll that began at `at`, and that all it found, up to `newest`, has been published. */
  confirm(at: number, newest: LogPosition): void {
    this.polls.push({ at, newest });
    while (this.polls.length > SETTLE_POLLS && this.polls[0]!.at <= at - SETTLE_MS) {
      this.position = this.polls.shift()!.newest;
    }
  }

  /** A bound on staleness: the last poll saw all commits of a chat that has been idle for longer, in milliseconds. */
  get maxUnobservedMs(): number {
    return performance.now() - this.polls.at(-1)!.at + MAX_COMMIT_DELAY_MS;
  }
}
