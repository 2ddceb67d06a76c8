/** Runs `work` while the clock of this process is `ms` ahead, or behind. Timers go on as they are. */
export async function withClockAhead<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...args: [] | [string]) {
      super(...((args.length === 0 ? [RealDate.now() + ms] : args) as [string]));
    }
    static override now(): number {
      return RealDate.now() + ms;
    }
  } as DateConstructor;
  try {
    return await work();
  } finally {
    globalThis.Date = RealDate;
  }
}
