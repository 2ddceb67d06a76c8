/** Time and chance, so that tests can have their own. Times are in milliseconds. */
export interface Clock {
  /** The time of day, which people and sleep make jump. */
  now(): number;
  /** A time that never jumps. It may stand still while the machine sleeps. */
  monotonic(): number;
  setTimeout(work: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** From 0 up to 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (work, ms) => setTimeout(work, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  random: () => Math.random(),
};

/** One timer: to set it again ends what was set before. */
export class Timer {
  #timer: unknown;

  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  set(ms: number, work: () => void): void {
    this.clear();
    // Longer ones would be taken for 1 ms.
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = undefined;
        work();
      },
      Math.min(Math.max(ms, 0), 2 ** 31 - 1),
    );
  }

  clear(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** The pauses between tries: doubled each time up to 30 s, and at random by half, so that clients don't come together. */
export class Backoff {
  #pause = FIRST_PAUSE_MS;

  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The next pause, which comes on top of what the server asks for. */
  next(retryAfterMs = 0): number {
    const pause = this.#pause;
    this.#pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    return retryAfterMs + Math.min(pause * (0.5 + this.#clock.random()), LONGEST_PAUSE_MS);
  }

  reset(): void {
    this.#pause = FIRST_PAUSE_MS;
  }
}
