import fc from 'fast-check';
import type { Chat } from '../../../src/contract/chats.js';
import type { Message } from '../../../src/contract/messages.js';
import type { Refresh } from '../../../src/contract/users.js';
import { TcpProxy } from '../../../test/support/tcp-proxy.js';
import type { TestApp, TestUser } from '../../../test/support/test-app.js';
import type { Client } from '../src/client.js';
import { type Clock, systemClock } from '../src/clock.js';
import type { Database, OutboxEntry, Storage } from '../src/storage/storage.js';
import { indexedDbStorage } from '../src/storage/indexeddb.js';
import { type Clients, eventually, hearAll, scopeOf, synced, until } from './clients.js';
import { wireFields } from './expect-same.js';
import { Browser } from './links.js';
import { Tab } from './tab.js';
import { Wire } from './wire.js';

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
    ...(['offline', 'online', 'cut', 'silence', 'kill', 'expire', 'sleep', 'full', 'wait'] as const),
    ...(['lose', 'lose', 'twice', 'late', 'late', 'reset', 'calm'] as const),
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
  private readonly tabs: { tab: Tab; client: Client; wire: Wire }[] = [];
  private readonly clock = scheduleClock();
  private readonly browser = new Browser();
  /** The ids that came with each refresh token. */
  private readonly refreshes = new Map<string, Set<string>>();
  private isFull = false;
  /** Whether no connection is blocked, and none is silent. */
  private isClear = true;

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
    await Promise.all(schedule.tabs.map(({ client }) => synced(client)));
    return schedule;
  }

  async do({ kind, tab, chat, pick }: Step): Promise<void> {
    const { client, wire } = this.tabs[tab]!;
    const { id } = this.chats[chat]!;
    if (kind === 'send') await this.send(client, id, `text ${pick}`);
    if (kind === 'edit' || kind === 'remove' || kind === 'read') await this.change(kind, client, id, pick);
    if (kind.startsWith('peer')) await this.peerDoes(kind, id, pick);
    if (kind === 'offline' || kind === 'online' || kind === 'cut' || kind === 'silence') this.disturb(kind);
    if (kind === 'kill') await this.kill(tab);
    if (kind === 'expire') this.clock.ahead += 1_800_000;
    if (kind === 'sleep') this.clock.ahead += 60_000;
    if (kind === 'full') this.isFull = !this.isFull;
    if (kind === 'lose' || kind === 'twice' || kind === 'late') wire.mishear(kind, 1 + (pick % 3));
    if (kind === 'reset') this.reset(client, wire);
    if (kind === 'calm') await this.calm();
    if (kind === 'wait') for (let turn = 0; turn < pick / 100; turn += 1) await new Promise(setImmediate);
  }

  /** Puts all right, and checks that the tabs have what the server has, and it each message once. */
  async end(): Promise<void> {
    await this.calm();
    for (const { client } of this.tabs) await this.sync(client);
    for (const { id } of this.chats) await this.compare(id, true);
    // One tab at a time refreshes, with an id that it has stored, and the next one goes on with that.
    expect([...this.refreshes.values()].filter(({ size }) => size > 1)).toEqual([]);
    await Promise.all(this.tabs.map(({ client }) => client.close()));
    this.proxy.close();
  }

  /**
   * Puts all right, and checks that the tabs notice whatever they have missed by the next message and the next change of
   * a chat. Receipts have no number: only a sync brings those that were lost.
   */
  private async calm(): Promise<void> {
    this.isFull = false;
    for (const { wire } of this.tabs) wire.hearAgain();
    if (!this.isClear) this.proxy.dropConnections();
    this.proxy.unblock();
    this.isClear = true;
    for (const { client } of this.tabs) await this.settle(client);
    for (const { id } of this.chats) {
      await this.peer.say({ id }, 'calm');
      await this.peer.patch(`/groups/${id}`, { name: 'calm' });
      await this.peer.patch(`/groups/${id}`, { name: 'still calm' });
    }
    for (const { client } of this.tabs) {
      await hearAll(client);
      await synced(client);
      await eventually(() => !scopeOf(client).store.isBehind, 'what was missed');
      await synced(client);
    }
    for (const { id } of this.chats) await this.compare(id, false);
  }

  private disturb(kind: 'offline' | 'online' | 'cut' | 'silence'): void {
    if (kind === 'offline') this.proxy.block();
    if (kind === 'online') this.proxy.unblock();
    if (kind === 'cut') this.proxy.dropConnections();
    if (kind === 'silence') this.proxy.dropResponses();
    if (kind === 'offline' || kind === 'silence') this.isClear = false;
  }

  /** The next sync is answered as if the server had been put back to an earlier day. */
  private reset(client: Client, wire: Wire): void {
    wire.isResetting = true;
    scopeOf(client).sync.request();
  }

  private async openTab(): Promise<{ tab: Tab; client: Client; wire: Wire }> {
    const tab = new Tab(this.browser, { ...this.storage, open: (id) => this.openDatabase(id) }, this.clock);
    const send: typeof fetch = (url, request) => this.fetch(tab.options.fetch!, url as string, request!);
    const client = await this.clients.start({ url: this.proxy.origin, ...tab.options, fetch: send });
    tab.client = client;
    return { tab, client, wire: new Wire(client) };
  }

  /** Notes with which ids the tabs refresh. */
  private fetch(send: typeof fetch, url: string, request: RequestInit): Promise<Response> {
    if (url.endsWith('/auth/refresh')) {
      const { refresh_token, client_refresh_id } = JSON.parse(request.body as string) as Required<Refresh>;
      const ids = this.refreshes.get(refresh_token) ?? new Set();
      this.refreshes.set(refresh_token, ids.add(client_refresh_id));
    }
    return send(url, request);
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
    const keys = scopeOf(client).outbox.unsentIn(chatId) as string[];
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
    this.tabs[index]!.tab.kill();
    this.tabs[index] = await this.openTab();
  }

  /** Waits until nothing waits in the outbox but what has failed, and all is synced. */
  private async settle(client: Client): Promise<void> {
    const { outbox } = scopeOf(client);
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
    await synced(client);
    await until(entries, isSettled);
  }

  private async sync(client: Client): Promise<void> {
    await synced(client);
    scopeOf(client).sync.request();
    await synced(client);
  }

  /** `isSynced`: the last news came from a sync, so the tabs know who has read what. */
  private async compare(chatId: number, isSynced: boolean): Promise<void> {
    const history = (await this.user.get<Message[]>(`/history/${chatId}?limit=100`)).body;
    const chat = (await this.user.get<Chat>(`/chats/${chatId}`)).body;
    const stored = history.map(({ client_message_id }) => client_message_id);
    for (const [key, of] of this.accepted) {
      const times = stored.filter((one) => one === key).length;
      if (of === chatId && times !== 1 && !(times === 0 && this.mayBeMissing(key, chatId))) {
        throw new Error(`${key} is stored ${times} times`);
      }
    }
    for (const { client } of this.tabs) this.compareTab(client, chat, history, isSynced);
  }

  /** One that was removed before it was sent, or was refused for good. */
  private mayBeMissing(key: string, chatId: number): boolean {
    return this.dropped.has(key) || this.tabs[0]!.client.chat(chatId).message(key).get()?.status === 'failed';
  }

  private compareTab(client: Client, chat: Chat, history: readonly Message[], isSynced: boolean): void {
    const state = client.chat(chat.id).state.get()!;
    const held = scopeOf(client).store.chats.get(chat.id);
    const from = held.timeline.runAt(held.seq)?.from ?? Number(held.seq) + 1;
    expect([held.seq, held.change_seq]).toEqual([chat.last_seq, chat.last_change_seq]);
    for (const field of ['name', 'member_count', 'last_seq', 'my_role'] as const) {
      expect([field, state[field]]).toEqual([field, chat[field]]);
    }
    for (const field of ['last_read_seq', 'read_by_all_seq'] as const) {
      if (isSynced) expect([field, state[field]]).toEqual([field, chat[field]]);
    }
    const view = (message: Message): Message => (isSynced ? message : { ...message, is_read: false });
    const newest = history.filter(({ seq }) => seq >= from);
    const own = newest.map(({ client_message_id }) => client.chat(chat.id).message(client_message_id).get()!);
    // What has failed to be changed is as the server has it.
    expect(own.map((message) => view(wireFields(message)))).toEqual(newest.map(view));
  }
}
