import { effect, untracked } from '@preact/signals-core';
import type { ServerToClientEvents } from '../../../src/contract/events.js';
import type { Message } from '../../../src/contract/messages.js';
import type { Clock } from './clock.js';
import { Connection, ConnectionCut } from './connection.js';
import { asChatError } from './errors.js';
import { Outbox } from './outbox.js';
import { OutboxSender, type Outcome } from './outbox-sender.js';
import { Persister } from './persister.js';
import type { Session } from './session.js';
import type { Database, OutboxEntry } from './storage/storage.js';
import { Store } from './store.js';
import { Sync } from './sync.js';
import type { Tabs } from './tabs.js';
import type { Tokens } from './tokens.js';
import { Typing } from './typing.js';
import { Wake } from './wake.js';

/** What a scope is made of. */
export interface ScopeParts {
  readonly url: string;
  readonly userId: number;
  readonly database: Database;
  readonly tabs: Tabs;
  readonly tokens: Tokens;
  readonly session: Session;
  readonly clock: Clock;
}

/** Everything of one user while they are signed in: the parts, and the wires between them. */
export class Scope {
  readonly userId: number;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly connection: Connection;
  readonly sync: Sync;
  readonly typing: Typing;
  readonly persister: Persister;
  readonly #sender: OutboxSender;
  readonly #wake: Wake;
  readonly #database: Database;
  readonly #ends: (() => void)[] = [];
  #isLeading = false;

  readonly #parts: ScopeParts;

  constructor(parts: ScopeParts) {
    this.#parts = parts;
    const { url, userId, database, tokens, clock } = parts;
    this.userId = userId;
    this.#database = database;
    this.persister = new Persister(database, clock);
    this.store = new Store(userId, this.persister);
    this.typing = new Typing(clock);
    this.outbox = new Outbox(
      database,
      clock,
      () => this.#onOutbox(),
      () => this.persister.freeSpace(),
    );
    this.connection = new Connection(url, tokens, clock, {
      connected: () => this.sync.request(),
      event: (name, payload) => this.#onEvent(name, payload),
    });
    this.sync = new Sync(
      this.store,
      (request) => this.connection.request('sync', request),
      () => this.connection.status.peek() === 'connected',
      () => this.#sender.resume(),
      () => this.connection.reconnect(),
      clock,
    );
    const change = (entry: OutboxEntry, change: object): void =>
      this.persister.replace({ ...this.outbox.current(entry), ...change });
    const hooks = {
      attempt: (entry: OutboxEntry) => this.#attempt(this.outbox.current(entry)),
      isReady: () =>
        this.#isLeading && this.sync.status.peek() === 'synced' && this.connection.status.peek() === 'connected',
      done: ({ position }: OutboxEntry) => this.persister.done(position),
      change,
    };
    this.#sender = new OutboxSender(this.outbox, hooks, clock);
    this.#wake = new Wake(clock, () => this.#onWake());
  }

  /** Takes up what is stored, and connects. */
  async open(): Promise<void> {
    const { chats, messages } = await this.#database.load();
    this.store.load(chats, messages);
    await this.outbox.load();
    this.#ends.push(
      effect(() => {
        const entries = this.outbox.entries.value;
        untracked(() => this.store.takeOutbox(entries));
      }),
      effect(() => {
        if (this.connection.status.value !== 'connected') this.sync.stop();
      }),
      this.#parts.tabs.becomeLeader(this.userId, () => void this.#lead()),
    );
    this.connection.connect();
  }

  /** Another tab has changed the outbox. */
  async onNews(): Promise<void> {
    await this.outbox.load();
    this.#sender.drain();
  }

  /** Ends all that runs. What is stored stays, unless it is to be destroyed. */
  async close(isDestroyed = false): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    this.#sender.close();
    this.connection.close();
    this.sync.stop();
    this.typing.close();
    this.#wake.close();
    await this.persister.close();
    if (isDestroyed) await this.#database.destroy();
    else await this.#database.close();
  }

  async #lead(): Promise<void> {
    await this.outbox.load();
    this.outbox.lead();
    this.persister.lead(this.store, this.outbox);
    this.#isLeading = true;
    this.#sender.drain();
  }

  #onEvent(name: keyof ServerToClientEvents, payload: object): void {
    this.#wake.check();
    if (name === 'typing') this.typing.heard(payload as Parameters<ServerToClientEvents['typing']>[0]);
    if (name === 'message:created') this.typing.written(payload as Message);
    this.store.apply(name, payload as never);
    this.sync.check();
  }

  #onWake(): void {
    this.connection.wake();
    this.sync.request();
  }

  #onOutbox(): void {
    this.#wake.check();
    this.#parts.tabs.tell({ kind: 'outbox', user_id: this.userId });
    this.#sender.drain();
  }

  async #attempt(entry: OutboxEntry): Promise<Outcome> {
    try {
      await this.#carryOut(entry);
      this.sync.check();
      return { kind: 'done' };
    } catch (error) {
      if (error instanceof ConnectionCut) return { kind: 'cut' };
      const { code, retryable, retryAfterMs } = asChatError(error);
      // The token is being renewed.
      if (retryable || code === 'token_expired' || code === 'unauthorized') return { kind: 'later', retryAfterMs };
      return { kind: 'refused', code };
    }
  }

  async #carryOut(entry: OutboxEntry): Promise<void> {
    const { chat_id, key } = entry;
    if (entry.kind === 'send') {
      const reply = entry.reply_to_id === undefined ? {} : { reply_to_id: entry.reply_to_id };
      const command = { chat_id, text: entry.text, client_message_id: key, ...reply };
      this.store.acked(await this.connection.request('message:send', command));
      return;
    }
    // A message that isn't there is for the server to refuse.
    const message_id = entry.message_id ?? this.store.messages.stored(chat_id, key)?.id ?? Number.MAX_SAFE_INTEGER;
    if (entry.kind === 'read') {
      this.store.apply('read_receipt', await this.connection.request('message:read', { message_id }));
    } else if (entry.kind === 'edit') {
      this.store.acked(await this.connection.request('message:edit', { message_id, text: entry.text }));
    } else this.store.acked(await this.connection.request('message:delete', { message_id }));
  }
}
