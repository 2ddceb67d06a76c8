import { SlidingWindow } from './sliding-window.js';

describe('sliding window', () => {
  it('counts what has happened in its length', () => {
    const window = new SlidingWindow(1_000);
    expect(window.count(0)).toBe(0);
    window.add(3, 5_000);
    window.add(4, 5_900);
    expect(window.count(5_999)).toBe(7);
  });

  it('forgets the window before evenly, and all after two', () => {
    const window = new SlidingWindow(1_000);
    window.add(8, 0);
    expect([1_000, 1_250, 1_750, 2_000].map((now) => window.count(now))).toEqual([8, 6, 2, 0]);
    window.add(8, 2_000);
    expect(window.count(4_000)).toBe(0);
  });

  it('lets a flood in at an even rate once it has used up the limit', () => {
    const window = new SlidingWindow(1_000);
    const admitted: number[] = [];
    for (let now = 0; now < 4_000; now += 1) {
      if (window.count(now) >= 100) continue;
      window.add(1, now);
      admitted.push(now);
    }
    const inTenths = Array.from({ length: 30 }, (_, i) => {
      const start = 1_000 + i * 100;
      return admitted.filter((time) => time >= start && time < start + 100).length;
    });
    expect(Math.max(...inTenths)).toBeLessThanOrEqual(11);
    expect(Math.min(...inTenths)).toBeGreaterThanOrEqual(9);
  });
});
