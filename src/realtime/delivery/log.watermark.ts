import { Injectable } from '@nestjs/common';
import type { LogPosition } from '../../messages/log.reader.js';

/**
 * Within this time, in milliseconds, and so many looks a statement that has drawn an id has committed or failed: its
 * timeout is half of it. The looks make sure that PostgreSQL itself has not stood still in between.
 */
const SETTLE_MS = 5_000;
const SETTLE_POLLS = 3;

/** What was committed in the chat before this, in milliseconds before the last look, that look has seen. */
const MAX_COMMIT_DELAY_MS = 3_000;

/**
 * How far a node has followed the log. Ids are not in commit order, so each look goes back to where the log ended some
 * seconds before: what was drawn by then has been committed since, or never will be.
 */
@Injectable()
export class LogWatermark {
  private polls: { readonly at: number; readonly newest: LogPosition }[] = [];

  /** All ids up to here have been told. */
  position: LogPosition = { messageId: 0, changeId: 0 };

  /** From here on everything is this node's to tell. */
  start(newest: LogPosition): void {
    this.position = newest;
    this.polls = [{ at: performance.now(), newest }];
  }

  /** All that a look, begun at `at` (of the process's clock), found up to `newest` has been told. */
  confirm(at: number, newest: LogPosition): void {
    this.polls.push({ at, newest });
    while (this.polls.length > SETTLE_POLLS && this.polls[0]!.at <= at - SETTLE_MS) {
      this.position = this.polls.shift()!.newest;
    }
  }

  /** A chat without a commit for longer than this, in milliseconds, has nothing that isn't told. */
  get maxUnobservedMs(): number {
    return performance.now() - this.polls.at(-1)!.at + MAX_COMMIT_DELAY_MS;
  }
}
