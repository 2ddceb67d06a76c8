import type { TestApp, TestUser } from '../../../test/support/test-app.js';
import { Client, type ClientOptions } from '../src/client.js';
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

/** Resolves when the client has all that the server has. */
export const synced = (client: Client): Promise<unknown> =>
  until(client.status, ({ connection, sync }) => connection === 'connected' && sync === 'synced');

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
