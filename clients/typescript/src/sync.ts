import { signal } from '@preact/signals-core';
import type { News, SyncRequest } from '../../../src/contract/sync.js';
import { Backoff, type Clock, Timer } from './clock.js';
import { asChatError } from './errors.js';
import type { Store } from './store.js';

/** `behind` until the next sync has brought all: the state of the server is not known. */
export type SyncStatus = 'behind' | 'syncing' | 'synced';

/** What is heard out of order may be under way for so long. */
const UNDER_WAY_MS = 500;

/** Brings the store from what it holds to what the server has: after each connect, and when something is missing. */
export class Sync {
  readonly status = signal<SyncStatus>('behind');
  readonly #gap: Timer;
  readonly #retry: Timer;
  readonly #backoff: Backoff;
  #isWanted = false;

  readonly #store: Store;
  readonly #ask: (request: SyncRequest) => Promise<News>;
  readonly #isOn: () => boolean;
  readonly #onSynced: () => void;
  readonly #onSilence: () => void;

  /**
   * `ask` sends one request, `onSynced` is called when all is there, `onSilence` when the server doesn't answer. `isOn`
   * says whether there is a connection.
   */
  constructor(
    store: Store,
    ask: (request: SyncRequest) => Promise<News>,
    isOn: () => boolean,
    onSynced: () => void,
    onSilence: () => void,
    clock: Clock,
  ) {
    this.#store = store;
    this.#ask = ask;
    this.#isOn = isOn;
    this.#onSynced = onSynced;
    this.#onSilence = onSilence;
    this.#gap = new Timer(clock);
    this.#retry = new Timer(clock);
    this.#backoff = new Backoff(clock);
  }

  /** Syncs now, once more after the sync that is under way, or after the pause when the server has refused one. */
  request(): void {
    this.#isWanted = true;
    if (this.status.peek() !== 'syncing' && !this.#retry.isSet && this.#isOn()) void this.#run();
  }

  /** Call it after each event, and each answer to a command. */
  check(): void {
    if (this.status.peek() !== 'synced' || this.#gap.isSet || !this.#store.isBehind) return;
    this.#gap.set(UNDER_WAY_MS, () => {
      if (this.#store.isBehind) this.request();
    });
  }

  /** The connection has ended. */
  stop(): void {
    this.#gap.clear();
    this.#retry.clear();
    if (this.status.peek() === 'synced') this.status.value = 'behind';
  }

  async #run(): Promise<void> {
    this.status.value = 'syncing';
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        this.#store.beginSync();
        for (let after = 0; after < Infinity;) after = await this.#store.sync(after, this.#ask);
      }
      this.#backoff.reset();
      this.status.value = 'synced';
      this.#onSynced();
      this.check();
    } catch (error) {
      this.status.value = 'behind';
      this.#onFailure(asChatError(error).code === 'no_answer', asChatError(error).retryAfterMs);
    }
  }

  #onFailure(isSilence: boolean, retryAfterMs?: number): void {
    this.#isWanted = true;
    if (!this.#isOn()) return;
    if (isSilence) this.#onSilence();
    else this.#retry.set(this.#backoff.next(retryAfterMs), () => this.request());
  }
}
