import { LogWatermark } from './log.watermark.js';

const positionOf = (id: number) => ({ messageId: id, changeId: id });

describe('LogWatermark', () => {
  let watermark: LogWatermark;
  let start: number;
  beforeEach(() => {
    watermark = new LogWatermark();
    watermark.start(positionOf(1));
    // Whole, so that sums of it are exact.
    start = Math.floor(performance.now());
  });

  it('follows five seconds behind when polls come often', () => {
    for (let second = 1; second <= 20; second += 1) {
      watermark.confirm(start + second * 1_000, positionOf(10 * second));
      expect(watermark.position).toEqual(positionOf(second < 6 ? 1 : 10 * (second - 5)));
    }
  });

  it('follows three polls behind after a long time without one', () => {
    for (const [second, id] of [
      [2, 20],
      [4, 40],
      [100, 50],
      [102, 60],
    ] as const) {
      watermark.confirm(start + second * 1_000, positionOf(id));
    }
    // What was under way when PostgreSQL stood still after the fourth second may have been committed just now.
    expect(watermark.position).toEqual(positionOf(20));
    watermark.confirm(start + 104_000, positionOf(70));
    expect(watermark.position).toEqual(positionOf(40));
  });

  it('takes a chat for observed when it was idle for longer than since the last poll, plus what a commit may take', () => {
    watermark.confirm(start, positionOf(10));
    expect(watermark.maxUnobservedMs).toBeGreaterThanOrEqual(3_000);
    watermark.confirm(performance.now() - 60_000, positionOf(20));
    expect(watermark.maxUnobservedMs).toBeGreaterThanOrEqual(63_000);
  });
});
