import type { Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { PollingLoop } from './polling-loop.js';

/** Steps under way at once. Each takes a connection of the pool. */
const CONCURRENCY = 3;

/**
 * Works off long tasks, such as the erasure of an account, of which the database has a list of ids.
 * `ErasureSweeper`, `DeletedChatsSweeper` and `NameSweeper` own one. Every node polls the list, so that any node
 * continues what another one, or a crash, has left; a task must be safe to repeat, also on two nodes at once.
 *
 * A task is a generator of small steps. All tasks advance in turn, a step at a time, so a large one doesn't hold up a
 * small one. A task that throws ends, is logged once, and begins again with the next poll; the others go on.
 */
export class SweepLoop {
  private readonly polling: PollingLoop;
  private readonly limit = pLimit(CONCURRENCY);
  private readonly underWay = new Map<number, Promise<void>>();
  /** The tasks whose last try failed. */
  private readonly failing = new Set<number>();
  private stopped = false;

  /**
   * `subject` is the first part of the log events; `intervalMs` is in milliseconds; `find` returns the ids of all tasks
   * that are not complete; `steps` does one of them.
   */
  constructor(
    private readonly logger: Logger,
    private readonly subject: string,
    intervalMs: number,
    find: () => Promise<number[]>,
    private readonly steps: (id: number) => AsyncGenerator<void>,
  ) {
    this.polling = new PollingLoop(logger, subject, intervalMs, async () => {
      for (const id of await find()) void this.sweep(id);
    });
  }

  /** Starts all tasks of the list, now and at every interval. */
  start(): void {
    this.stopped = false;
    this.polling.start();
    void this.polling.runNow();
  }

  /** Starts a task, or joins it when it is under way; resolves when it is complete, has failed, or was stopped. */
  sweep(id: number): Promise<void> {
    const running = this.underWay.get(id) ?? this.run(id).finally(() => this.underWay.delete(id));
    this.underWay.set(id, running);
    return running;
  }

  /** Starts no further step; resolves when those under way are done. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.polling.stop();
    await Promise.all(this.underWay.values());
  }

  private async run(id: number): Promise<void> {
    const steps = this.steps(id);
    try {
      // The limiter is a queue: the next step of this task comes after one of every other task.
      while (!(await this.limit(() => this.stopped || steps.next().then(({ done }) => done))));
      this.failing.delete(id);
    } catch (err) {
      if (!this.failing.has(id)) this.logger.warn({ err, event: `${this.subject}.failed`, id });
      this.failing.add(id);
    }
  }
}
