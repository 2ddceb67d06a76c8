import { Injectable } from '@nestjs/common';

/**
 * The clock of the database on this node. Tokens are issued and judged by it, so nodes whose own clocks differ, or
 * step, agree. `DatabaseMonitor` measures it once a second. In between, and while the database is unavailable, the
 * monotonic clock of the process counts on: no step of the node's clock changes anything.
 *
 * Invariant: the offset is one that the latest measurement allows, and it moves only as far as that takes. So a slow
 * answer, which says little, doesn't move the clock to and fro.
 */
@Injectable()
export class DatabaseClock {
  /** The time of the database minus that of the process's monotonic clock, in milliseconds. */
  private offset: number | undefined;

  /** Milliseconds since 1970. @throws Error before the first measurement, which is made before the node listens */
  now(): number {
    if (this.offset === undefined) throw new Error('the clock of the database has not been read');
    return performance.now() + this.offset;
  }

  /**
   * Notes that the database's clock showed `time` at some moment from `start` to `end`, by the monotonic clock of the
   * process. All in milliseconds.
   */
  measured(time: number, start: number, end: number): void {
    const [least, most] = [time - end, time - start];
    this.offset = Math.min(Math.max(this.offset ?? (least + most) / 2, least), most);
  }
}
