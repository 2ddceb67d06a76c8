import { DatabaseClock } from './database.clock.js';

describe('database clock', () => {
  /** How far the clock is from `performance.now()`. */
  const offsetOf = (clock: DatabaseClock): number => Math.round(clock.now() - performance.now());

  it('is not known before it has been read', () => {
    expect(() => new DatabaseClock().now()).toThrow('has not been read');
  });

  it('begins in the middle of the first measurement', () => {
    const clock = new DatabaseClock();
    clock.measured(10_000, 0, 100);
    expect(offsetOf(clock)).toBe(9_950);
  });

  it('is not moved by a slow answer that allows the time it shows', () => {
    const clock = new DatabaseClock();
    clock.measured(10_000, 99, 101);
    clock.measured(11_000, 100, 2_000);
    expect(offsetOf(clock)).toBe(9_900);
  });

  it('follows a step of the database, forwards and back', () => {
    const clock = new DatabaseClock();
    clock.measured(10_000, 100, 100);
    clock.measured(20_000, 110, 110);
    expect(offsetOf(clock)).toBe(19_890);
    clock.measured(10_000, 120, 120);
    expect(offsetOf(clock)).toBe(9_880);
  });
});
