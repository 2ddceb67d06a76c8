import type { TestApp, TestUser } from '../../../test/support/test-app.js';
import { Client, type ClientOptions } from '../src/client.js';
import { type Clock, systemClock } from '../src/clock.js';
import type { Observable } from '../src/observable.js';
import { memoryStorage } from '../src/storage/memory.js';
import type { Storage } from '../src/storage/storage.js';
import { killed } from './tab.js';

const TIMEOUT_MS = 10_000;

/** Resolves with the value as soon as it fits. */
export async function until<T>(observable: Observable<T>, fits: (value: T) => boolean): Promise<T> {
  if (fits(observable.get())) return observable.get();
  let stop = (): void => undefined;
  let timer: NodeJS.Timeout;
  try {
    return await new Promise<T>((resolve, reject) => {
      const late = (): void => reject(new Error(`not so in time; at last: ${JSON.stringify(observable.get())}`));
      timer = setTimeout(late, TIMEOUT_MS);
      stop = observable.subscribe((value) => {
        if (fits(value)) resolve(value);
      });
    });
  } finally {
    clearTimeout(timer!);
    stop();
  }
}

/** Resolves when it is so. For what no observable tells. */
export async function eventually(isSo: () => boolean, what: string): Promise<void> {
  const end = Date.now() + TIMEOUT_MS;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise(setImmediate);
  }
}

/** Resolves when the client has all that the server has. */
export const synced = (client: Client): Promise<unknown> =>
  until(client.status, ({ connection, sync }) => connection === 'connected' && sync === 'synced');

/** The insides of a client. */
export const scopeOf = (client: Client) => (client as any).scope.peek();

/** Resolves when the client has heard all that was published before: its answer comes after that. */
export const hearAll = (client: Client): Promise<unknown> =>
  scopeOf(client)
    .connection.request('typing', { chat_id: 1, is_typing: false })
    .catch(() => undefined);

/** A clock whose pauses are short, and which waits for answers all the same. */
export const quick: Clock = {
  ...systemClock,
  setTimeout: (work: () => void, ms: number) => systemClock.setTimeout(work, ms >= 10_000 ? ms : Math.min(ms, 20)),
};

/** A clock that stands still: a test ends its timers. */
export class HandClock implements Clock {
  /** How far the clock of the day has been set ahead. */
  ahead = 0;
  private readonly timers = new Map<object, { ms: number; work: () => void }>();

  now(): number {
    return this.ahead;
  }

  monotonic(): number {
    return 0;
  }

  random(): number {
    return 0.5;
  }

  setTimeout(work: () => void, ms: number): object {
    const timer = {};
    this.timers.set(timer, { ms, work });
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.timers.delete(timer as object);
  }

  /** How long the timers are set for that wait for no answer, and not for the end of a token. */
  pauses(): number[] {
    return [...this.timers.values()].map(({ ms }) => ms).filter((ms) => ms < 10_000);
  }

  /** Ends the timers that fit. False when there are none. */
  pass(fits: (ms: number) => boolean): boolean {
    const due = [...this.timers].filter(([, { ms }]) => fits(ms));
    for (const [timer] of due) this.timers.delete(timer);
    for (const [, { work }] of due) work();
    return due.length > 0;
  }
}

/** The clients of a spec. */
export class Clients {
  private readonly open = new Set<Client>();

  constructor(private readonly app: () => TestApp) {}

  /** A storage with the session of the user, as a login leaves it. */
  async storageOf(user: TestUser, storage: Storage = memoryStorage()): Promise<Storage> {
    const { body: account } = await user.get('/auth/me');
    const expires_at = Date.now() + 900_000;
    await storage.session.save({ account, access_token: user.token, refresh_token: user.refreshToken, expires_at });
    return storage;
  }

  /** A client that isn't synced yet. */
  async start(options: Partial<ClientOptions> & Pick<ClientOptions, 'storage'>): Promise<Client> {
    const client = new Client({ url: this.app().url, ...options });
    this.open.add(client);
    await client.open();
    return client;
  }

  /** A client of the user, which is synced. */
  async of(user: TestUser, options: Partial<ClientOptions> = {}): Promise<Client> {
    const client = await this.start({ ...options, storage: await this.storageOf(user, options.storage) });
    await synced(client);
    return client;
  }

  async close(): Promise<void> {
    const alive = [...this.open].filter((client) => !killed.has(client));
    await Promise.all(alive.map((client) => client.close()));
  }
}
