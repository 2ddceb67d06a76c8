import { PASSWORD, TestApp, unique } from '../../../test/support/test-app.js';
import { type Client, type ClientOptions, createClient } from '../src/client.js';
import { systemClock } from '../src/clock.js';
import type { ChatError } from '../src/errors.js';
import { memoryStorage } from '../src/storage/memory.js';
import type { Storage } from '../src/storage/storage.js';
import { Browser } from './links.js';

describe('the session', () => {
  let app: TestApp;
  const clients: Client[] = [];

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await app.close();
  });

  const open = async (options: Partial<ClientOptions> = {}): Promise<Client> => {
    const client = await createClient({ url: app.url, storage: memoryStorage(), ...options });
    clients.push(client);
    return client;
  };
  const codeOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'none',
      (error: unknown) => (error as ChatError).code,
    );
  /** A clock that can be set ahead. */
  const movedClock = () => ({ ...systemClock, ahead: 0, now: () => Date.now() + clock.ahead });
  let clock = movedClock();
  beforeEach(() => (clock = movedClock()));

  /** Counts the refreshes that the server gets, and loses the answers of the first `lost`. */
  const counting = (lost = 0) => {
    const bodies: string[] = [];
    const send: typeof fetch = async (url, request) => {
      const answer = await fetch(url, request);
      if (!(url as string).endsWith('/auth/refresh')) return answer;
      bodies.push(request!.body as string);
      if (bodies.length <= lost) throw new TypeError('lost');
      return answer;
    };
    return { bodies, send };
  };

  it('registers, logs in, lists the devices, changes name and password, and logs out', async () => {
    const { session } = await open();
    const seen: (number | undefined)[] = [];
    session.account.subscribe((account) => seen.push(account?.id));
    const email = `person-${unique()}@example.com`;
    const account = await session.register('A Person', email, PASSWORD);
    expect(session.account.get()).toEqual(account);
    const other = await open();
    await other.session.login(email, PASSWORD);
    expect((await session.list()).map(({ current }) => current).sort()).toEqual([false, true]);
    expect((await session.rename('Another Name')).name).toBe('Another Name');
    expect(session.account.get()?.name).toBe('Another Name');
    await session.changePassword(PASSWORD, 'a longer password');
    expect(await session.list()).toHaveLength(1);
    expect(await codeOf(other.session.list())).toBe('signed_out');
    expect(other.session.account.get()).toBeUndefined();
    await session.logout();
    expect(session.account.get()).toBeUndefined();
    expect(new Set(seen)).toEqual(new Set([account.id, undefined]));
    expect(await codeOf(session.list())).toBe('signed_out');
  });

  it('rejects with the code of the server, and with the fields', async () => {
    const { session } = await open();
    expect(await codeOf(session.login('nobody@example.com', PASSWORD))).toBe('invalid_credentials');
    await expect(session.register('', 'no email', 'short')).rejects.toMatchObject({
      code: 'validation_failed',
      retryable: false,
      errors: expect.arrayContaining([expect.objectContaining({ field: 'email' })]),
    });
  });

  it('refreshes an expired token, once for calls at the same time', async () => {
    const { bodies, send } = counting();
    const { session } = await open({ clock, fetch: send });
    const user = await app.user();
    await session.login(user.email, PASSWORD);
    clock.ahead = 3_600_000;
    await Promise.all([session.list(), session.list(), session.list()]);
    expect(bodies).toHaveLength(1);
  });

  it('is there again after a restart, without the network', async () => {
    const storage = memoryStorage();
    const user = await app.user();
    await (await open({ storage })).session.login(user.email, PASSWORD);
    const { session } = await open({ storage, fetch: () => Promise.reject(new TypeError('offline')) });
    expect(session.account.get()).toMatchObject({ id: user.id, email: user.email });
    expect(await codeOf(session.list())).toBe('no_answer');
  });

  it('gets the same tokens again after a lost answer, also after a restart a day later', async () => {
    const storage = memoryStorage();
    const { bodies, send } = counting(2);
    const user = await app.user();
    const first = await open({ storage, clock, fetch: send });
    await first.session.login(user.email, PASSWORD);
    clock.ahead = 3_600_000;
    expect(await codeOf(first.session.list())).toBe('no_answer');
    await first.close();
    await app.sql(`UPDATE sessions SET rotated_at = rotated_at - interval '1 day' WHERE user_id = $1`, [user.id]);
    const second = await open({ storage, clock, fetch: send });
    expect(await codeOf(second.session.list())).toBe('no_answer');
    expect(await second.session.list()).not.toHaveLength(0);
    expect(new Set(bodies).size).toBe(1);
  });

  it('has one tab refresh, and the others take what it has stored', async () => {
    const storage: Storage = memoryStorage();
    const browser = new Browser();
    const { bodies, send } = counting();
    const user = await app.user();
    const tabs = await Promise.all([1, 2, 3].map(() => open({ storage, clock, fetch: send, tabs: browser.newTab() })));
    const told = Promise.all(
      tabs.slice(1).map(({ session }) => new Promise((resolve) => session.account.subscribe(resolve))),
    );
    await tabs[0]!.session.login(user.email, PASSWORD);
    await told;
    clock.ahead = 3_600_000;
    await Promise.all(tabs.map(({ session }) => session.list()));
    expect(bodies).toHaveLength(1);
  });
});
