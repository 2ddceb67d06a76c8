import type { Logger } from '@nestjs/common';

/**
 * Polls the database at an interval, one run at a time. `LogTailPoller`, `RevokedSessionsRegistry` and `SweepLoop` own
 * one.
 *
 * States: *idle*; *running*, while a `poll` is under way; *stopped*, after which the interval starts no run. A tick of
 * the interval during a run starts none.
 *
 * A failed run rejects nothing: the next tick tries again. The first failure is logged as `<subject>.out_of_reach`, the
 * next success as `<subject>.in_reach`, and nothing in between.
 */
export class PollingLoop {
  private isReachable = true;
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** `subject` is the first part of the log events; `intervalMs` is in milliseconds; `poll` is one run. */
  constructor(
    private readonly logger: Logger,
    private readonly subject: string,
    private readonly intervalMs: number,
    private readonly poll: () => Promise<void>,
  ) {}

  /** Starts the interval; the first run comes after one interval. */
  start(): void {
    this.timer = setInterval(() => void this.runNow(), this.intervalMs).unref();
  }

  /** Starts a run, or joins the one under way; resolves when it is done or has failed. */
  runNow(): Promise<void> {
    return (this.running ??= this.run());
  }

  /** Stops the interval; resolves when the run under way is done. */
  async stop(): Promise<void> {
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
