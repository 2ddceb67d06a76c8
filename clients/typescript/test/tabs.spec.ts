import type { Message } from '../../../src/contract/messages.js';
import { TcpProxy } from '../../../test/support/tcp-proxy.js';
import { TestApp, type TestUser } from '../../../test/support/test-app.js';
import type { Client } from '../src/client.js';
import { indexedDbStorage } from '../src/storage/indexeddb.js';
import type { Storage } from '../src/storage/storage.js';
import { Clients, quick, synced, until } from './clients.js';
import { installIndexedDb } from './indexed-db.js';
import { Browser } from './links.js';
import { Tab } from './tab.js';

describe('the tabs of a browser', () => {
  let app: TestApp;
  let uninstall: () => void;
  const clients = new Clients(() => app);
  const proxies: TcpProxy[] = [];

  beforeAll(async () => {
    uninstall = installIndexedDb();
    app = await TestApp.start();
  });
  afterAll(async () => {
    await clients.close();
    for (const proxy of proxies) proxy.close();
    await app.close();
    uninstall();
  });

  /** A person with a group and a browser, which can be cut off from the server. */
  async function setUp() {
    const user = await app.user();
    const chat = await user.group();
    const browser = new Browser();
    const storage: Storage = await clients.storageOf(user, await indexedDbStorage(`person-${user.id}`));
    const proxy = await TcpProxy.inFrontOf(app.url);
    proxies.push(proxy);
    const open = async (): Promise<[Tab, Client]> => {
      const tab = new Tab(browser, storage, quick);
      const client = await clients.start({ url: proxy.origin, ...tab.options });
      tab.client = client;
      return [tab, client];
    };
    return { user, chat, storage, proxy, open };
  }

  const historyOf = async (user: TestUser, chat: { id: number }): Promise<Message[]> =>
    (await user.get<Message[]>(`/history/${chat.id}?limit=100`)).body;
  const isRead = (message?: { status: string }): boolean => message?.status === 'read';

  it('show what each of them writes, and one of them sends it', async () => {
    const { user, chat, proxy, open } = await setUp();
    const [, first] = await open();
    const [, second] = await open();
    await Promise.all([synced(first), synced(second)]);
    proxy.block();
    const key = await second.chat(chat.id).send('from the second');
    const shown = first.chat(chat.id).messages();
    await until(shown.state, ({ keys }) => keys[0] === key);
    const other = await first.chat(chat.id).send('from the first');
    await second.chat(chat.id).edit(key, 'from the second, edited');
    proxy.unblock();
    for (const client of [first, second]) {
      await until(client.chat(chat.id).message(other), isRead);
      await until(client.chat(chat.id).message(key), (message) => isRead(message) && message!.change === null);
      expect(client.chat(chat.id).message(key).get()!.text).toBe('from the second, edited');
    }
    expect((await historyOf(user, chat)).map(({ client_message_id }) => client_message_id)).toEqual([key, other]);
  });

  it('lose and double nothing when the one that sends is killed', async () => {
    const { user, chat, proxy, storage, open } = await setUp();
    const [tab, first] = await open();
    const [, second] = await open();
    await Promise.all([synced(first), synced(second)]);
    proxy.dropResponses();
    const keys = [await first.chat(chat.id).send('in the first'), await second.chat(chat.id).send('in the second')];
    while ((await historyOf(user, chat)).length === 0);
    tab.kill();
    proxy.dropConnections();
    await until(second.chat(chat.id).message(keys[1]!), isRead);
    expect((await historyOf(user, chat)).map(({ client_message_id }) => client_message_id)).toEqual(keys);
    const database = await storage.open(user.id);
    while ((await database.outbox()).length > 0);
    expect((await database.load()).messages.map(({ client_message_id }) => client_message_id)).toEqual(keys);
    await database.close();
  });

  it('start with what is stored, without the network', async () => {
    const { user, chat, proxy, open } = await setUp();
    const [tab, first] = await open();
    await synced(first);
    const key = await first.chat(chat.id).send('stored');
    await until(first.chat(chat.id).message(key), isRead);
    while ((first as any).scope.peek().outbox.entries.peek().length > 0) await new Promise(setImmediate);
    tab.kill();
    proxy.block();
    const [, second] = await open();
    expect(second.status.get()).toMatchObject({ sync: 'behind', storage: 'persistent' });
    expect(second.chats.list.get()[0]).toMatchObject({ id: chat.id, last_message: { text: 'stored' } });
    expect(second.chat(chat.id).messages().state.get().keys).toEqual([key]);
    proxy.unblock();
    await user.say(chat, 'later');
    await until(second.chat(chat.id).state, (state) => state?.last_message?.text === 'later');
  });

  it('sign out together, and leave nothing of the person behind', async () => {
    const { user, chat, open } = await setUp();
    const [, first] = await open();
    const [, second] = await open();
    await Promise.all([synced(first), synced(second)]);
    await first.chat(chat.id).send('text');
    const names = async (): Promise<(string | undefined)[]> => (await indexedDB.databases()).map(({ name }) => name);
    expect(await names()).toContain(`person-${user.id}:${user.id}`);
    await first.session.logout();
    await until(second.session.account, (account) => account === undefined);
    expect(second.chats.list.get()).toEqual([]);
    await expect(second.chat(chat.id).send('text')).rejects.toMatchObject({ code: 'signed_out' });
    while ((await names()).includes(`person-${user.id}:${user.id}`));
  });

  it('leave nothing that runs when they are closed', async () => {
    const { open } = await setUp();
    const [tab, client] = await open();
    await synced(client);
    const { connection } = (client as any).scope.peek();
    await client.close();
    expect(connection.socket.connected).toBe(false);
    expect(tab.timersSet).toBe(0);
  });
});
