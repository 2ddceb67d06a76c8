import { Injectable } from '@nestjs/common';
import type { LogMark } from '../../messages/log.reader.js';

/**
 * Within this time, in milliseconds, and so many looks a statement that has drawn an id has committed or failed: its
 * timeout is half of it. The looks make sure that PostgreSQL itself has not stood still in between.
 */
const SETTLED_MS = 5_000;
const SETTLED_LOOKS = 3;

/** What was committed in the chat before this, in milliseconds before the last look, that look has seen. */
const COMMIT_MS = 3_000;

/**
 * How far a node has followed the log. Ids are not in commit order, so each look goes back to where the log ended some
 * seconds before: what was drawn by then has been committed since, or never will be.
 */
@Injectable()
export class LogHorizon {
  private looks: { readonly at: number; readonly newest: LogMark }[] = [];

  /** All ids up to here have been told. */
  mark: LogMark = { messageId: 0, changeId: 0 };

  /** From here on everything is this node's to tell. */
  start(newest: LogMark): void {
    this.mark = newest;
    this.looks = [{ at: performance.now(), newest }];
  }

  /** All that a look, begun at `at` (of the process's clock), found up to `newest` has been told. */
  confirm(at: number, newest: LogMark): void {
    this.looks.push({ at, newest });
    while (this.looks.length > SETTLED_LOOKS && this.looks[0]!.at <= at - SETTLED_MS) {
      this.mark = this.looks.shift()!.newest;
    }
  }

  /** A chat without a commit for longer than this, in milliseconds, has nothing that isn't told. */
  get blindMs(): number {
    return performance.now() - this.looks.at(-1)!.at + COMMIT_MS;
  }
}
