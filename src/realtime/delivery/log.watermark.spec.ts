import { LogWatermark } from './log.watermark.js';

const markOf = (id: number) => ({ messageId: id, changeId: id });

describe('the horizon of the log', () => {
  let horizon: LogWatermark;
  let start: number;
  beforeEach(() => {
    horizon = new LogWatermark();
    horizon.start(markOf(1));
    // Whole, so that sums of it are exact.
    start = Math.floor(performance.now());
  });

  it('follows five seconds behind, when looks come often', () => {
    for (let second = 1; second <= 20; second += 1) {
      horizon.confirm(start + second * 1_000, markOf(10 * second));
      expect(horizon.position).toEqual(markOf(second < 6 ? 1 : 10 * (second - 5)));
    }
  });

  it('follows three looks behind, when there was a long time without one', () => {
    for (const [second, id] of [
      [2, 20],
      [4, 40],
      [100, 50],
      [102, 60],
    ] as const) {
      horizon.confirm(start + second * 1_000, markOf(id));
    }
    // What was under way when PostgreSQL stood still after the fourth second may have been committed just now.
    expect(horizon.position).toEqual(markOf(20));
    horizon.confirm(start + 104_000, markOf(70));
    expect(horizon.position).toEqual(markOf(40));
  });

  it('trusts a chat that was quiet longer than the last look is ago, and a commit may take', () => {
    horizon.confirm(start, markOf(10));
    expect(horizon.maxUnobservedMs).toBeGreaterThanOrEqual(3_000);
    horizon.confirm(performance.now() - 60_000, markOf(20));
    expect(horizon.maxUnobservedMs).toBeGreaterThanOrEqual(63_000);
  });
});
