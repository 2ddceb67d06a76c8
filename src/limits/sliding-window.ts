/**
 * Counts what has happened in the last `lengthMs` milliseconds, about: in the present fixed window, and of the one
 * before it the part that the sliding one still covers, as if it had happened evenly
 * (https://blog.cloudflare.com/counting-things-a-lot-of-different-things/). With fixed windows alone, a limit would let
 * all of it in at the beginning of each. All times are of the process's monotonic clock.
 */
export class SlidingWindow {
  private start = -Infinity;
  private present = 0;
  private before = 0;

  constructor(private readonly lengthMs: number) {}

  add(weight: number, now: number): void {
    this.slide(now);
    this.present += weight;
  }

  count(now: number): number {
    this.slide(now);
    const covered = 1 - (now - this.start) / this.lengthMs;
    return this.present + covered * this.before;
  }

  private slide(now: number): void {
    const ended = Math.floor((now - this.start) / this.lengthMs);
    if (ended < 1) return;
    this.before = ended === 1 ? this.present : 0;
    this.start = ended === 1 ? this.start + this.lengthMs : now;
    this.present = 0;
  }
}
