import { LogWatermark } from './log.watermark.js';

const positionOf = (id: number) => ({ messageId: id, changeId: id });

describe('LogWatermark', () => {
  let watermark: LogWatermark;
  let start: number;
  beforeEach(() => {
    watermark = new LogWatermark();
    watermark.start(positionOf(1));
    // An integer, so that sums are exact.
    start = Math.floor(performance.now());
  });

  it('stays five seconds behind when polls are frequent', () => {
    for (let second = 1; second <= 20; second += 1) {
      watermark.confirm(start + second * 1_000, positionOf(10 * second));
      expect(watermark.position).toEqual(positionOf(second < 6 ? 1 : 10 * (second - 5)));
    }
  });

  it('stays three polls behind after a long time without a poll', () => {
    for (const [second, id] of [
      [2, 20],
      [4, 40],
      [100, 50],
      [102, 60],
    ] as const) {
      watermark.confirm(start + second * 1_000, positionOf(id));
    }
    // PostgreSQL may have been stopped after the fourth second, and have committed just now what was running then.
    expect(watermark.position).toEqual(positionOf(20));
    watermark.confirm(start + 104_000, positionOf(70));
    expect(watermark.position).toEqual(positionOf(40));
  });

  it('bounds the staleness by the time since the last poll plus the commit delay', () => {
    watermark.confirm(start, positionOf(10));
    expect(watermark.maxUnobservedMs).toBeGreaterThanOrEqual(3_000);
    watermark.confirm(performance.now() - 60_000, positionOf(20));
    expect(watermark.maxUnobservedMs).toBeGreaterThanOrEqual(63_000);
  });
});
