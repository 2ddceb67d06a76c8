import { Injectable } from '@nestjs/common';
import type { LogPosition } from '../../messages/log.reader.js';

/**
 * A statement that has drawn an id commits or fails within this time, in milliseconds, and this number of polls. Its
 * timeout is half of the time. The polls make sure that PostgreSQL was not stopped meanwhile, timeouts included.
 */
const SETTLE_MS = 5_000;
const SETTLE_POLLS = 3;

/** The longest time from the timestamp of a message to its commit, in milliseconds. */
const MAX_COMMIT_DELAY_MS = 3_000;

/**
 * The low watermark of the log on this node, a pair of ids of `messages` and `chat_changes`. `LogTailPoller` polls the
 * log above it and advances it.
 *
 * Ids are not committed in the order in which they are drawn. So a poll that returns an id proves nothing about lower
 * ids: one of them may be committed later. The watermark therefore follows behind. It is where the log ended at least
 * 5 s and three polls ago.
 *
 * State: the position, and the polls since. Transitions: `start` sets the position to the end of the log. `confirm`
 * adds a poll, and advances the position over polls that are old enough.
 *
 * Invariants, from the first advance on: no id up to the position is committed later, and everything from the start up
 * to the position has been published. The position advances with polls only, so it stays while the database is
 * unavailable.
 */
@Injectable()
export class LogWatermark {
  /**
   * The polls since the position, the oldest first: when each began, in milliseconds of the process's clock, and where
   * the log ended.
   */
  private polls: { readonly at: number; readonly newest: LogPosition }[] = [];

  /** The low watermark. */
  position: LogPosition = { messageId: 0, changeId: 0 };

  /** Begins at the end of the log. This node has to publish everything that is committed above it. */
  start(newest: LogPosition): void {
    this.position = newest;
    this.polls = [{ at: performance.now(), newest }];
  }

  /** Notes a poll that began at `at` and found the log up to `newest`. Call it after all of that has been published. */
  confirm(at: number, newest: LogPosition): void {
    this.polls.push({ at, newest });
    while (this.polls.length > SETTLE_POLLS && this.polls[0]!.at <= at - SETTLE_MS) {
      this.position = this.polls.shift()!.newest;
    }
  }

  /**
   * The bound on staleness, in milliseconds: of a chat that has been idle for longer, the last poll saw every commit.
   */
  get maxUnobservedMs(): number {
    return performance.now() - this.polls.at(-1)!.at + MAX_COMMIT_DELAY_MS;
  }
}
