import { readFileSync } from 'node:fs';

const EVERY_MS = 200;

/** Reads the resident memory of a process all the time, by /proc. */
export class MemoryMeter {
  private readonly start = this.read();
  private most = this.start;
  private readonly timer = setInterval(() => (this.most = Math.max(this.most, this.read())), EVERY_MS);

  constructor(private readonly pid: number) {}

  /** How many MB the process has more than at the start: now, and at the most. */
  end(): { now: number; most: number } {
    clearInterval(this.timer);
    const now = this.read();
    return { now: now - this.start, most: Math.max(this.most, now) - this.start };
  }

  private read(): number {
    const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))!;
    return (Number(kb) * 1_024) / 1e6;
  }
}
