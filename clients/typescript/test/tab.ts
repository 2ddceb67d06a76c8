import { type Clock, systemClock } from '../src/clock.js';
import type { Client, ClientOptions } from '../src/client.js';
import type { Database, Storage } from '../src/storage/storage.js';
import type { Browser } from './links.js';

/** The clients of killed tabs, which can't be closed. */
export const killed = new WeakSet<Client>();

const never = (): Promise<never> => new Promise(() => undefined);

/** Something that does nothing more once the tab is killed. */
function mortal<T extends object>(real: T, isKilled: () => boolean): T {
  return new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => (isKilled() ? never() : value.apply(target, args));
    },
  });
}

/** A tab of a browser, which can be killed at any moment: nothing of it goes on. */
export class Tab {
  client: Client | undefined;
  private isKilled = false;
  private readonly links: ReturnType<Browser['newTab']>;
  private readonly timers = new Set<unknown>();

  constructor(
    browser: Browser,
    private readonly storage: Storage,
    private readonly clock: Clock = systemClock,
  ) {
    this.links = browser.newTab();
  }

  /** What the client of this tab is made of. */
  get options(): Omit<ClientOptions, 'url'> {
    const isKilled = (): boolean => this.isKilled;
    return {
      tabs: this.links,
      clock: {
        ...this.clock,
        setTimeout: (work, ms) => this.setTimeout(work, ms),
        clearTimeout: (timer) => this.clearTimeout(timer),
      },
      fetch: (...request) => (this.isKilled ? never() : fetch(...request)),
      storage: {
        isPersistent: this.storage.isPersistent,
        session: mortal(this.storage.session, isKilled),
        open: async (userId): Promise<Database> => mortal(await this.storage.open(userId), isKilled),
      },
    };
  }

  /** Ends the tab without a word, as a browser does. */
  kill(): void {
    this.isKilled = true;
    if (this.client) killed.add(this.client);
    this.links.kill();
    for (const timer of this.timers) this.clock.clearTimeout(timer);
    const { socket } = (this.client as any).scope.peek()?.connection ?? {};
    socket?.offAny().off();
    socket?.io.engine?.close();
  }

  /** How many timers run. */
  get timersSet(): number {
    return this.timers.size;
  }

  private clearTimeout(timer: unknown): void {
    this.timers.delete(timer);
    this.clock.clearTimeout(timer);
  }

  private setTimeout(work: () => void, ms: number): unknown {
    if (this.isKilled) return undefined;
    const timer = this.clock.setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, ms);
    this.timers.add(timer);
    return timer;
  }
}
