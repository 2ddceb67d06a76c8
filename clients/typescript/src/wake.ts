import type { Clock } from './clock.js';

/** The clock of the day and the steady one may drift apart by so much. More means sleep, or a clock that was set. */
const MOST_DRIFT_MS = 10_000;

/** Notices that the device has slept, that its clock was set, and that the network or the page is back. */
export class Wake {
  #drift: number;
  readonly #page = globalThis as Partial<Pick<Window, 'addEventListener' | 'removeEventListener' | 'document'>>;

  readonly #clock: Clock;
  readonly #onWake: () => void;

  constructor(clock: Clock, onWake: () => void) {
    this.#clock = clock;
    this.#onWake = onWake;
    this.#drift = this.#currentDrift();
    this.#page.addEventListener?.('online', this.#onWake);
    this.#page.document?.addEventListener('visibilitychange', this.#onVisibility);
  }

  /** Compares the clocks. Call it whenever something happens. */
  check(): void {
    const drift = this.#currentDrift();
    const isJump = Math.abs(drift - this.#drift) > MOST_DRIFT_MS;
    this.#drift = drift;
    if (isJump) this.#onWake();
  }

  close(): void {
    this.#page.removeEventListener?.('online', this.#onWake);
    this.#page.document?.removeEventListener('visibilitychange', this.#onVisibility);
  }

  readonly #onVisibility = (): void => {
    if (this.#page.document?.visibilityState === 'visible') this.#onWake();
  };

  #currentDrift(): number {
    return this.#clock.now() - this.#clock.monotonic();
  }
}
