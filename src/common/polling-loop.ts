import type { Logger } from '@nestjs/common';

/** Looks at the database again and again, one look at a time. It is said once that the database is away, and once that it is back. */
export class PollingLoop {
  private isReachable = true;
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  /** `subject` is how the log calls what is looked at; `everyMs` are milliseconds. */
  constructor(
    private readonly logger: Logger,
    private readonly subject: string,
    private readonly intervalMs: number,
    private readonly poll: () => Promise<void>,
  ) {}

  start(): void {
    this.stopped = false;
    this.timer = setInterval(() => void this.runNow(), this.intervalMs).unref();
  }

  /** Looks now, unless that is under way; resolves when it is done, or the database is away. */
  runNow(): Promise<void> {
    return (this.running ??= this.run());
  }

  /**
   * Looks after the one that may be under way, so at all that is there by now, unless it was stopped meanwhile; resolves
   * when that is done, or the database is away.
   */
  async runAgain(): Promise<void> {
    await this.running;
    if (!this.stopped) await this.runNow();
  }

  /** Whether a look that is under way should come to its end. */
  isStopped(): boolean {
    return this.stopped;
  }

  /** Resolves when the last look is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      await this.poll();
      if (!this.isReachable) this.logger.log({ event: `${this.subject}.in_reach` });
      this.isReachable = true;
    } catch (err) {
      if (this.isReachable) this.logger.warn({ err, event: `${this.subject}.out_of_reach` });
      this.isReachable = false;
    }
    this.running = undefined;
  }
}
