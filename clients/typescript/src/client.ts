import { computed, effect, signal } from '@preact/signals-core';
import { ChatHandle } from './chat.js';
import { Chats } from './chats.js';
import { type Clock, systemClock } from './clock.js';
import type { ConnectionStatus } from './connection.js';
import { type Observable, observe } from './observable.js';
import { Rest } from './rest.js';
import { Scope } from './scope.js';
import { Session } from './session.js';
import type { SessionStore, Storage } from './storage/storage.js';
import type { SyncStatus } from './sync.js';
import { browserLinks, type TabLinks, type TabNews, Tabs } from './tabs.js';
import { Tokens } from './tokens.js';

/** What a client is made of. */
export interface ClientOptions {
  /** The address of the server, such as `https://chat.example.org`. */
  readonly url: string;
  /** Where the session, the outbox and a copy of the chats are kept. */
  readonly storage: Storage;
  /** Keeps the tokens elsewhere than the storage does. */
  readonly tokens?: SessionStore;
  /** By default that of the system. */
  readonly clock?: Clock;
  /** By default the Web Locks and BroadcastChannel of the browser; a client without them is alone. */
  readonly tabs?: TabLinks;
  /** By default the global one. */
  readonly fetch?: typeof fetch;
}

/** How the client is. */
export interface ClientStatus {
  readonly connection: ConnectionStatus;
  readonly sync: SyncStatus;
  /** `memory`: what is stored is gone after a restart, the outbox too. `full`: there is space for the outbox alone. */
  readonly storage: 'persistent' | 'memory' | 'full';
}

/** A client of one server, for one person at a time. Make it with `createClient`. */
export class Client {
  readonly session: Session;
  readonly chats: Chats;
  readonly status: Observable<ClientStatus>;
  readonly #rest: Rest;
  readonly #tabs: Tabs;
  readonly #tokens: Tokens;
  private readonly scope = signal<Scope | undefined>(undefined);
  readonly #handles = new Map<number, ChatHandle>();
  /** Users come and go one after the other. */
  #switching: Promise<void> = Promise.resolve();
  #unwatch: () => void = () => undefined;
  #isClosed = false;

  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
    const { storage, tokens, tabs, fetch = globalThis.fetch } = options;
    this.#rest = new Rest(this.#url, (...request) => fetch(...request), this.#clock);
    // Tabs without a storage in common are alone: each sends what it holds.
    const links = tabs ?? (storage.isPersistent ? browserLinks() : undefined);
    this.#tabs = new Tabs(`windi-chat:${this.#url}`, links);
    this.#tokens = new Tokens(tokens ?? storage.session, this.#rest, this.#tabs, this.#clock);
    this.session = new Session(this.#tokens, this.#rest, {
      ready: () => this.#switching,
      forget: () => this.#forget(),
    });
    this.chats = new Chats(this.scope, this.session);
    this.status = observe(computed(() => this.#currentStatus()));
    this.#tabs.onNews = (news) => this.#onNews(news);
  }

  /** A chat by its id, the same object each time. */
  chat(id: number): ChatHandle {
    const known = this.#handles.get(id);
    if (known) return known;
    const made = new ChatHandle(id, this.scope, this.session);
    this.#handles.set(id, made);
    return made;
  }

  /** Takes up what the storage holds. */
  async open(): Promise<void> {
    await this.#tokens.load();
    const userId = computed(() => this.#tokens.session.value?.account.id);
    this.#unwatch = effect(() => this.#follow(userId.value));
    await this.#switching;
  }

  /** Leaves nothing behind that runs: no timer, no connection, no lock. What is stored stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unwatch();
    this.#follow(undefined);
    await this.#switching;
    this.#tabs.close();
    this.#rest.close();
  }

  get #url(): string {
    return this.#options.url.replace(/\/$/, '');
  }

  get #clock(): Clock {
    return this.#options.clock ?? systemClock;
  }

  #follow(userId: number | undefined): void {
    this.#switching = this.#switching.then(() => this.#switchTo(userId));
  }

  async #switchTo(userId: number | undefined): Promise<void> {
    const before = this.scope.peek();
    if (before?.userId === userId) return;
    this.scope.value = undefined;
    await before?.close();
    if (userId === undefined || (this.#isClosed && before !== undefined)) return;
    const { session } = this;
    const database = await this.#options.storage.open(userId);
    const scope = new Scope({
      url: this.#url,
      userId,
      database,
      tabs: this.#tabs,
      tokens: this.#tokens,
      session,
      clock: this.#clock,
    });
    await scope.open();
    this.scope.value = scope;
  }

  /** Deletes what is stored of the person. */
  async #forget(): Promise<void> {
    const scope = this.scope.peek();
    this.scope.value = undefined;
    await scope?.close(true);
  }

  #onNews(news: TabNews): void {
    if (news.kind === 'session') void this.#tokens.load();
    else if (news.user_id === this.scope.peek()?.userId) void this.scope.peek()!.onNews();
  }

  #currentStatus(): ClientStatus {
    const scope = this.scope.value;
    const { isPersistent } = this.#options.storage;
    const kept = isPersistent ? 'persistent' : 'memory';
    return {
      connection: scope?.connection.status.value ?? 'offline',
      sync: scope?.sync.status.value ?? 'behind',
      storage: scope?.persister.isFull.value ? 'full' : kept,
    };
  }
}

/** Makes a client, and takes up what its storage holds: whoever was signed in still is. */
export async function createClient(options: ClientOptions): Promise<Client> {
  const client = new Client(options);
  await client.open();
  return client;
}
