import { TcpProxy } from '../../../test/support/tcp-proxy.js';
import type { Message } from '../../../src/contract/messages.js';
import { TestApp, type TestUser } from '../../../test/support/test-app.js';
import type { Client } from '../src/client.js';
import { systemClock } from '../src/clock.js';
import { MemoryDatabase, memoryStorage } from '../src/storage/memory.js';
import type { NewEntry } from '../src/storage/storage.js';
import { Clients, eventually, quick, scopeOf, synced, until } from './clients.js';

/** A clock that doesn't wait long. */
const hasty = {
  ...systemClock,
  setTimeout: (work: () => void, ms: number) => systemClock.setTimeout(work, Math.min(ms, 100)),
};

describe('the outbox', () => {
  let app: TestApp;
  const clients = new Clients(() => app);
  const proxies: TcpProxy[] = [];

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(async () => {
    await clients.close();
    for (const proxy of proxies) proxy.close();
    await app.close();
  });

  const historyOf = async (user: TestUser, chat: { id: number }): Promise<Message[]> =>
    (await user.get<Message[]>(`/history/${chat.id}?limit=100`)).body;

  /** A person with a group, and a way to the server that can be cut. */
  async function setUp() {
    const user = await app.user();
    const chat = await user.group();
    const proxy = await TcpProxy.inFrontOf(app.url);
    proxies.push(proxy);
    const storage = await clients.storageOf(user);
    const start = (): Promise<Client> => clients.start({ storage, url: proxy.origin, clock: quick });
    return { user, chat, proxy, storage, start };
  }

  it('keeps what is written offline, also through a restart, and sends it once in its order', async () => {
    const { user, chat, proxy, start } = await setUp();
    const first = await start();
    await synced(first);
    proxy.block();
    const keys = await Promise.all(['one', 'two'].map((text) => first.chat(chat.id).send(text)));
    await first.close();
    const second = await start();
    const shown = second.chat(chat.id).messages();
    expect(shown.state.get().keys).toEqual(keys);
    keys.push(await second.chat(chat.id).send('three'));
    await second.chat(chat.id).edit(keys[0]!, 'one, edited');
    await second.chat(chat.id).remove(keys[1]!);
    proxy.unblock();
    await until(second.chat(chat.id).message(keys[1]!), (message) => message?.deleted_at !== null);
    await until(second.chat(chat.id).message(keys[0]!), (message) => message?.change === null);
    const stored = await historyOf(user, chat);
    expect(stored.map(({ client_message_id }) => client_message_id)).toEqual(keys);
    expect(stored.map(({ text }) => text)).toEqual(['one, edited', null, 'three']);
  });

  it('sends again what was committed while its ack got lost: it is there once', async () => {
    const { user, chat, proxy, start } = await setUp();
    const client = await start();
    await synced(client);
    proxy.dropResponses();
    const key = await client.chat(chat.id).send('once');
    while ((await historyOf(user, chat)).length === 0);
    proxy.dropConnections();
    await until(client.chat(chat.id).message(key), (message) => message?.status === 'read');
    await client.chat(chat.id).send('twice');
    await until(client.chat(chat.id).state, (state) => state?.last_seq === 2 && state.last_message?.status === 'read');
    expect(await historyOf(user, chat)).toHaveLength(2);
    expect(scopeOf(client).outbox.entries.peek()).toEqual([]);
  });

  it('removes a message from the storage in the write that stores it', async () => {
    const user = await app.user();
    const chat = await user.group();
    const database = new MemoryDatabase();
    const states: [number, number][] = [];
    const write = database.write.bind(database);
    database.write = async (changes) => {
      await write(changes);
      states.push([(await database.outbox()).length, (await database.load()).messages.length]);
    };
    const storage = { ...memoryStorage(), open: () => Promise.resolve(database) };
    const client = await clients.of(user, { storage });
    states.length = 0;
    const key = await client.chat(chat.id).send('text');
    await until(client.chat(chat.id).message(key), (message) => message?.status === 'read');
    while (scopeOf(client).outbox.entries.peek().length > 0) await new Promise(setImmediate);
    for (const [waiting, stored] of states) expect(waiting + stored).toBeGreaterThanOrEqual(1);
    expect(states.at(-1)).toEqual([0, 1]);
  });

  it('gives a message up after five tries that cut the connection, also over restarts, and goes on with the others', async () => {
    const { user, chat, start } = await setUp();
    const other = await user.group();
    let tries = 0;
    const cutting = (client: Client): void => {
      const { connection } = scopeOf(client);
      const request = connection.request.bind(connection);
      connection.request = (command: string, payload: any) => {
        if (payload.text !== 'refused in between') return request(command, payload);
        tries += 1;
        // A frame for which the server closes the connection.
        return request(command, { ...payload, text: 'x'.repeat(600_000) });
      };
    };
    const first = await start();
    await synced(first);
    cutting(first);
    const key = await first.chat(chat.id).send('refused in between');
    const { entries } = scopeOf(first).outbox;
    while (entries.peek()[0].cuts === 0) await new Promise(setImmediate);
    await first.close();
    const second = await start();
    cutting(second);
    const later = await second.chat(chat.id).send('behind it');
    const elsewhere = await second.chat(other.id).send('elsewhere');
    await until(second.chat(chat.id).message(key), (message) => message?.status === 'failed');
    expect(second.chat(chat.id).message(key).get()!.error).toBe('connection_cut');
    expect(tries).toBe(5);
    await until(second.chat(chat.id).message(later), (message) => message?.status === 'read');
    await until(second.chat(other.id).message(elsewhere), (message) => message?.status === 'read');
  });

  it('waits as the server asks when it has sent too much, and keeps the order', async () => {
    const limited = await TestApp.start({ rateLimit: true });
    try {
      const user = await limited.user();
      const chat = await user.group();
      const storage = await clients.storageOf(user);
      const client = await clients.start({ storage, url: limited.url });
      await synced(client);
      const keys = await Promise.all(Array.from({ length: 110 }, (_, index) => client.chat(chat.id).send(`${index}`)));
      await until(client.chat(chat.id).message(keys.at(-1)!), (message) => message?.status === 'read');
      expect(
        (await user.get<Message[]>(`/history/${chat.id}?limit=100`)).body.map(
          ({ client_message_id }) => client_message_id,
        ),
      ).toEqual(keys.slice(0, 100));
      await client.close();
    } finally {
      await limited.close();
    }
  });

  it.each(['retry', 'drop'] as const)('takes the edit of a failed message along: %s', async (deed) => {
    const { user, proxy, start } = await setUp();
    const friend = await app.user();
    const chat = await user.privateChat(friend);
    const first = await start();
    await synced(first);
    proxy.block();
    const key = await first.chat(chat.id).send('first');
    await first.close();
    await friend.put(`/users/${user.id}/block`);
    const second = await start();
    // It may have been tried before the restart, so the edit waits behind it.
    await second.chat(chat.id).edit(key, 'edited');
    proxy.unblock();
    await until(second.chat(chat.id).message(key), (message) => message?.status === 'failed');
    await friend.delete(`/users/${user.id}/block`);
    await second.chat(chat.id)[deed](key);
    await eventually(() => scopeOf(second).outbox.entries.peek().length === 0, 'an empty outbox');
    const texts = (await historyOf(user, chat)).map(({ text }) => text);
    expect(texts).toEqual(deed === 'retry' ? ['edited'] : []);
  });

  it('merges edits and reads that wait', async () => {
    const { user, chat, proxy, start } = await setUp();
    const friend = await app.user();
    await user.put(`/groups/${chat.id}/members/${friend.id}`);
    const client = await start();
    await synced(client);
    const key = await client.chat(chat.id).send('first');
    await until(client.chat(chat.id).message(key), (message) => message?.status === 'sent');
    await friend.say(chat);
    await friend.say(chat);
    await until(client.chat(chat.id).state, (state) => state?.last_seq === 3);
    proxy.block();
    await client.chat(chat.id).edit(key, 'second');
    await client.chat(chat.id).edit(key, 'third');
    const shown = client.chat(chat.id).messages().state.get().keys;
    await client.chat(chat.id).read(shown[1]);
    await client.chat(chat.id).read(shown[2]);
    expect(client.chat(chat.id).state.get()!.unread_count).toBe(0);
    const kinds = (scopeOf(client).outbox.entries.peek() as NewEntry[]).map(({ kind }) => kind);
    expect(kinds).toEqual(['edit', 'read']);
    proxy.unblock();
    await until(client.chat(chat.id).message(key), (message) => message?.text === 'third' && message.change === null);
    expect((await historyOf(user, chat))[0]).toMatchObject({ text: 'third', change_seq: expect.any(Number) });
  });

  it('tries again over a connection that has gone silent', async () => {
    const { user, chat, proxy, storage } = await setUp();
    const client = await clients.start({ storage, url: proxy.origin, clock: hasty });
    await until(client.status, ({ sync }) => sync === 'synced');
    proxy.dropResponses();
    const key = await client.chat(chat.id).send('into the silence');
    client.status.subscribe(({ connection }) => connection === 'waiting' && proxy.dropConnections());
    scopeOf(client).sync.request();
    await until(client.chat(chat.id).message(key), (message) => message?.status === 'read');
    expect(await historyOf(user, chat)).toHaveLength(1);
  });

  it('sends on when the token has run out meanwhile', async () => {
    const { user, chat, proxy, storage } = await setUp();
    let ahead = 0;
    const clock = { ...quick, now: () => Date.now() + ahead };
    const client = await clients.start({ storage, url: proxy.origin, clock });
    await synced(client);
    proxy.block();
    const key = await client.chat(chat.id).send('after the token');
    ahead = 3_600_000;
    const before = await storage.session.load();
    proxy.unblock();
    await until(client.chat(chat.id).message(key), (message) => message?.status === 'read');
    expect((await storage.session.load())!.refresh_token).not.toBe(before!.refresh_token);
    expect(await historyOf(user, chat)).toHaveLength(1);
  });

  it('refuses what it can not keep, and makes room for it before that', async () => {
    const user = await app.user();
    const chat = await user.group();
    const database = new MemoryDatabase();
    const add = database.add.bind(database);
    let isFull = false;
    let isCacheDropped = false;
    database.add = (...entry) => (isFull ? Promise.reject(new Error('QuotaExceededError')) : add(...entry));
    database.dropCache = () => Promise.resolve(void (isCacheDropped = true));
    const storage = { ...memoryStorage(), open: () => Promise.resolve(database) };
    const client = await clients.of(user, { storage });
    isFull = true;
    await expect(client.chat(chat.id).send('text')).rejects.toMatchObject({ code: 'storage_full' });
    expect(isCacheDropped).toBe(true);
    expect(client.status.get().storage).toBe('full');
    isFull = false;
    const key = await client.chat(chat.id).send('text');
    await until(client.chat(chat.id).message(key), (message) => message?.status === 'read');
  });
});
