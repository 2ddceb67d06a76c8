import fc from 'fast-check';
import type { Chat } from '../../../src/contract/chats.js';
import type { Message } from '../../../src/contract/messages.js';
import { TcpProxy } from '../../../test/support/tcp-proxy.js';
import type { TestApp, TestUser } from '../../../test/support/test-app.js';
import type { Client } from '../src/client.js';
import { type Clock, systemClock } from '../src/clock.js';
import type { Database, OutboxEntry, Storage } from '../src/storage/storage.js';
import { indexedDbStorage } from '../src/storage/indexeddb.js';
import { type Clients, synced, until } from './clients.js';
import { Browser } from './links.js';
import { Tab } from './tab.js';

/** How many tabs the person has. */
const TABS = 2;

/** What happens in a schedule. `tab`, `chat` and `pick` say to which of those that there are. */
export const step = fc.record({
  kind: fc.constantFrom(
    ...(['send', 'send', 'send', 'send', 'edit', 'edit', 'remove', 'read', 'read'] as const),
    ...([
      'peer says',
      'peer says',
      'peer edits',
      'peer removes',
      'peer reads',
      'peer renames',
      'peer regroups',
    ] as const),
    ...(['offline', 'online', 'cut', 'silence', 'kill', 'expire', 'sleep', 'full', 'lose', 'wait', 'twice'] as const),
  ),
  tab: fc.nat(TABS - 1),
  chat: fc.nat(1),
  pick: fc.nat(1_000),
});
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A time that goes on as it does, with pauses that are over soon, and that can be set ahead. */
function scheduleClock(): Clock & { ahead: number } {
  const clock = {
    ...systemClock,
    ahead: 0,
    now: () => Date.now() + clock.ahead,
    setTimeout: (work: () => void, ms: number) => systemClock.setTimeout(work, Math.min(ms / 20, 1_000)),
  };
  return clock;
}

/** One person with two tabs on a bad network, and a peer on a good one, who meet in two groups. */
export class Schedule {
  private readonly accepted = new Map<string, number>();
  private readonly dropped = new Set<string>();
  private readonly tabs: Tab[] = [];
  private readonly clock = scheduleClock();
  private readonly browser = new Browser();
  private isFull = false;

  private constructor(
    private readonly clients: Clients,
    private readonly user: TestUser,
    private readonly peer: TestUser,
    private readonly chats: readonly Chat[],
    private readonly proxy: TcpProxy,
    private readonly storage: Storage,
  ) {}

  static async of(app: TestApp, clients: Clients): Promise<Schedule> {
    const [user, peer] = (await app.users(2)) as [TestUser, TestUser];
    const chats = [await peer.group(user), await peer.group(user)];
    const proxy = await TcpProxy.inFrontOf(app.url);
    const storage = await clients.storageOf(user, await indexedDbStorage(`schedule-${user.id}`));
    const schedule = new Schedule(clients, user, peer, chats, proxy, storage);
    for (let tab = 0; tab < TABS; tab += 1) schedule.tabs.push(await schedule.openTab());
    await Promise.all(schedule.tabs.map(({ client }) => synced(client!)));
    return schedule;
  }

  async do({ kind, tab, chat, pick }: Step): Promise<void> {
    const { client } = this.tabs[tab]!;
    const { id } = this.chats[chat]!;
    if (kind === 'send') await this.send(client!, id, `text ${pick}`);
    if (kind === 'edit' || kind === 'remove' || kind === 'read') await this.change(kind, client!, id, pick);
    if (kind.startsWith('peer')) await this.peerDoes(kind, id, pick);
    if (kind === 'offline') this.proxy.block();
    if (kind === 'online') this.proxy.unblock();
    if (kind === 'cut') this.proxy.dropConnections();
    if (kind === 'silence') this.proxy.dropResponses();
    if (kind === 'kill') await this.kill(tab);
    if (kind === 'expire') this.clock.ahead += 1_800_000;
    if (kind === 'sleep') this.clock.ahead += 60_000;
    if (kind === 'full') this.isFull = !this.isFull;
    if (kind === 'lose' || kind === 'twice') this.mishear(client!, kind);
    if (kind === 'wait') for (let turn = 0; turn < pick / 100; turn += 1) await new Promise(setImmediate);
  }

  /** Puts the network right, and checks that the tabs have what the server has, and it each message once. */
  async end(): Promise<void> {
    this.isFull = false;
    this.proxy.dropConnections();
    this.proxy.unblock();
    for (const { client } of this.tabs) delete (client as any).scope.peek().store.apply;
    for (const { client } of this.tabs) await this.settle(client!);
    for (const { client } of this.tabs) await this.sync(client!);
    for (const { id } of this.chats) await this.compare(id);
    await Promise.all(this.tabs.map(({ client }) => client!.close()));
    this.proxy.close();
  }

  private async openTab(): Promise<Tab> {
    const tab = new Tab(this.browser, { ...this.storage, open: (id) => this.openDatabase(id) }, this.clock);
    tab.client = await this.clients.start({ url: this.proxy.origin, ...tab.options });
    return tab;
  }

  /** A database that has no space at times. */
  private async openDatabase(userId: number): Promise<Database> {
    const database = await this.storage.open(userId);
    const full = <T>(work: () => Promise<T>): Promise<T> =>
      this.isFull ? Promise.reject(new DOMException('no space', 'QuotaExceededError')) : work();
    return new Proxy(database, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
        if (typeof value !== 'function') return value;
        const isWrite = name === 'add' || name === 'write';
        return (...args: unknown[]) => (isWrite ? full(() => value.apply(target, args)) : value.apply(target, args));
      },
    });
  }

  private async send(client: Client, chatId: number, text: string): Promise<void> {
    const key = await client
      .chat(chatId)
      .send(text)
      .catch(() => undefined);
    if (key !== undefined) this.accepted.set(key, chatId);
  }

  private async change(kind: 'edit' | 'remove' | 'read', client: Client, chatId: number, pick: number): Promise<void> {
    const chat = client.chat(chatId);
    const keys = (client as any).scope.peek().outbox.unsentIn(chatId) as string[];
    const own = [...this.accepted].filter(([, of]) => of === chatId).map(([key]) => key);
    const candidates = kind === 'read' ? own : [...own, ...keys];
    const key = candidates[pick % (candidates.length || 1)];
    if (key === undefined || !chat.message(key).get()) return;
    // Whoever has no space is told so.
    if (kind === 'edit') await chat.edit(key, `edited ${pick}`).catch(() => undefined);
    if (kind === 'read') await chat.read(key).catch(() => undefined);
    if (kind === 'remove')
      await chat
        .remove(key)
        .then(() => this.dropped.add(key))
        .catch(() => undefined);
  }

  private async peerDoes(kind: string, chatId: number, pick: number): Promise<void> {
    if (kind === 'peer says') await this.peer.say({ id: chatId }, `peer ${pick}`);
    if (kind === 'peer renames') await this.peer.patch(`/groups/${chatId}`, { name: `name ${pick}` });
    if (kind === 'peer regroups') {
      await this.peer.delete(`/groups/${chatId}/members/${this.user.id}`);
      await this.peer.put(`/groups/${chatId}/members/${this.user.id}`);
    }
    const messages = (await this.peer.get<Message[]>(`/history/${chatId}`)).body;
    const message = messages[pick % (messages.length || 1)];
    if (!message) return;
    if (kind === 'peer edits') await this.peer.patch(`/messages/${message.id}`, { text: `changed ${pick}` });
    if (kind === 'peer removes') await this.peer.delete(`/messages/${message.id}`);
    if (kind === 'peer reads') await this.peer.post(`/messages/${message.id}/read`);
  }

  private async kill(index: number): Promise<void> {
    this.tabs[index]!.kill();
    this.tabs[index] = await this.openTab();
  }

  /** The next event is lost, or comes twice. */
  private mishear(client: Client, kind: 'lose' | 'twice'): void {
    const { store } = (client as any).scope.peek();
    const { apply } = store;
    store.apply = (event: string, payload: object) => {
      store.apply = apply;
      if (kind === 'twice') apply.call(store, event, payload);
      if (kind === 'twice') apply.call(store, event, payload);
    };
  }

  /** Waits until nothing waits in the outbox but what has failed, and all is synced. */
  private async settle(client: Client): Promise<void> {
    const { outbox } = (client as any).scope.peek();
    // A change of a message that has failed waits until that is tried again or dropped.
    const isSettled = (): boolean => {
      const all = outbox.entries.peek() as OutboxEntry[];
      const failed = new Set(all.filter(({ error }) => error !== null).map(({ key }) => key));
      return all.every(({ key }) => failed.has(key));
    };
    const entries = {
      get: () => outbox.entries.peek(),
      subscribe: (listener: (value: unknown) => void) => outbox.entries.subscribe(listener),
    };
    await this.sync(client);
    await until(entries, isSettled);
  }

  private async sync(client: Client): Promise<void> {
    await synced(client);
    (client as any).scope.peek().sync.request();
    await synced(client);
  }

  private async compare(chatId: number): Promise<void> {
    const history = (await this.user.get<Message[]>(`/history/${chatId}?limit=100`)).body;
    const chat = (await this.user.get<Chat>(`/chats/${chatId}`)).body;
    const stored = history.map(({ client_message_id }) => client_message_id);
    for (const [key, of] of this.accepted) {
      const times = stored.filter((one) => one === key).length;
      if (of === chatId && times !== 1 && !(times === 0 && this.mayBeMissing(key, chatId))) {
        throw new Error(`${key} is stored ${times} times`);
      }
    }
    for (const { client } of this.tabs) this.compareTab(client!, chat, history);
  }

  /** One that was removed before it was sent, or was refused for good. */
  private mayBeMissing(key: string, chatId: number): boolean {
    return this.dropped.has(key) || this.tabs[0]!.client!.chat(chatId).message(key).get()?.status === 'failed';
  }

  private compareTab(client: Client, chat: Chat, history: readonly Message[]): void {
    const state = client.chat(chat.id).state.get()!;
    const held = (client as any).scope.peek().store.chats.get(chat.id);
    const from = held.timeline.runAt(held.seq)?.from ?? Number(held.seq) + 1;
    expect([held.seq, held.change_seq]).toEqual([chat.last_seq, chat.last_change_seq]);
    for (const field of ['name', 'member_count', 'last_seq', 'last_read_seq', 'read_by_all_seq', 'my_role'] as const) {
      expect([field, state[field]]).toEqual([field, chat[field]]);
    }
    const fields = ({ key: _, status: __, error: ___, change: ____, ...message }: any) => message;
    const own = history
      .filter(({ seq }) => seq >= from)
      .map(({ client_message_id }) => client.chat(chat.id).message(client_message_id).get()!)
      // What has failed to be changed is as the server has it.
      .map((message) => fields(message));
    expect(own).toEqual(history.filter(({ seq }) => seq >= from));
  }
}
