import { signal } from '@preact/signals-core';
import type { Message } from '../../../src/contract/messages.js';
import { Backoff, type Clock, Timer } from './clock.js';
import { STORED_MESSAGES, type HeldChat } from './held-chat.js';
import { type Changes, type Database, NO_CHANGES, type OutboxEntry } from './storage/storage.js';
import type { Store, StoreListener } from './store.js';

/** What the persister must know of the outbox. */
interface Waiting {
  /** The send of a message, if it waits. */
  sendOf(chatId: number, key: string): OutboxEntry | undefined;
  /** The changes of an unsent message, which need its id. */
  changesOf(message: Message): readonly (OutboxEntry & { readonly kind: 'edit' | 'delete' })[];
  finish(position: number): void;
  replace(entry: OutboxEntry): void;
  /** The storage has changed: these are no longer in it. */
  written(removed: readonly number[]): void;
}

/**
 * Writes what changes to the database, in the leading tab: together what has come together. A command leaves the outbox
 * in the write that stores its message, and not before.
 */
export class Persister implements StoreListener {
  /** There was no space for the cache: from then on only the outbox is stored. */
  readonly isFull = signal(false);
  #store: Store | undefined;
  #waiting: Waiting | undefined;
  readonly #gone = new Set<number>();
  readonly #chats = new Set<HeldChat>();
  readonly #messages = new Map<string, Message>();
  readonly #entries = new Map<number, OutboxEntry>();
  readonly #removed = new Set<number>();
  #writing: Promise<void> | undefined;

  readonly #retry: Timer;
  readonly #backoff: Backoff;

  readonly #database: Database;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#retry = new Timer(clock);
    this.#backoff = new Backoff(clock);
  }

  /** From now on this tab writes: first all that it holds. */
  lead(store: Store, waiting: Waiting): void {
    this.#store = store;
    this.#waiting = waiting;
    for (const chat of store.chats.values()) {
      this.changed(chat);
      const { from, seq } = chat.stored;
      for (let one = from; one <= seq; one += 1) {
        this.held(store.messages.stored(chat.chat.id, chat.timeline.key(one)!)!);
      }
    }
  }

  /** Makes room for the outbox: what is cached is dropped, and no more is cached. */
  async freeSpace(): Promise<void> {
    this.isFull.value = true;
    await this.#database.dropCache().catch(() => undefined);
  }

  /** From now on nothing is written, but what has been collected. Resolves when that is. */
  async close(): Promise<void> {
    this.#retry.clear();
    await this.#writing;
    this.#retry.clear();
    this.#waiting = undefined;
  }

  held(message: Message): void {
    const send = this.#waiting?.sendOf(message.chat_id, message.client_message_id);
    if (send) this.done(send.position);
    for (const change of this.#waiting?.changesOf(message) ?? []) this.replace({ ...change, message_id: message.id });
    this.#collect(() => this.#messages.set(`${message.chat_id}/${message.seq}`, message));
  }

  changed(chat: HeldChat): void {
    this.#collect(() => this.#chats.add(chat));
  }

  dropped(chatId: number): void {
    this.#collect(() => {
      this.#gone.add(chatId);
      for (const chat of this.#chats) if (chat.chat.id === chatId) this.#chats.delete(chat);
      for (const [id, { chat_id }] of this.#messages) if (chat_id === chatId) this.#messages.delete(id);
    });
  }

  /** The command has been carried out. */
  done(position: number): void {
    this.#waiting?.finish(position);
    this.#collect(() => {
      this.#removed.add(position);
      this.#entries.delete(position);
    });
  }

  /** The command has another state. */
  replace(entry: OutboxEntry): void {
    this.#waiting?.replace(entry);
    if (!this.#removed.has(entry.position)) this.#collect(() => this.#entries.set(entry.position, entry));
  }

  #collect(note: () => void): void {
    if (!this.#waiting) return;
    note();
    this.#writing ??= Promise.resolve().then(() => this.#write());
  }

  async #write(): Promise<void> {
    let isStored = true;
    while (isStored && this.#isDirty) isStored = await this.#writeNow(this.#take());
    this.#writing = undefined;
    if (isStored) this.#backoff.reset();
    else this.#retry.set(this.#backoff.next(), () => this.#collect(() => undefined));
  }

  get #isDirty(): boolean {
    return this.#gone.size + this.#chats.size + this.#messages.size + this.#entries.size + this.#removed.size > 0;
  }

  async #writeNow(changes: Changes): Promise<boolean> {
    const isStored = await this.#database.write(changes).then(
      () => true,
      () => this.#writeOutbox(changes),
    );
    if (isStored && changes.entries.length + changes.removed.length > 0) this.#waiting?.written(changes.removed);
    return isStored;
  }

  /** What isn't stored of the cache is fetched again. The rest is written again later, or with what comes next. */
  async #writeOutbox({ entries, removed }: Changes): Promise<boolean> {
    await this.freeSpace();
    try {
      await this.#database.write({ ...NO_CHANGES, entries, removed });
      return true;
    } catch {
      for (const position of removed) this.#removed.add(position);
      for (const entry of entries) this.#entries.set(entry.position, this.#entries.get(entry.position) ?? entry);
      return false;
    }
  }

  #take(): Changes {
    const isCached = !this.isFull.peek();
    const changes = {
      dropped: isCached ? [...this.#gone] : [],
      chats: isCached ? [...this.#chats].map((chat) => chat.stored) : [],
      messages: isCached ? [...this.#messages.values()].filter((message) => this.#isNew(message)) : [],
      entries: [...this.#entries.values()],
      removed: [...this.#removed],
    };
    for (const collected of [this.#gone, this.#chats, this.#messages, this.#entries, this.#removed]) collected.clear();
    return changes;
  }

  #isNew({ chat_id, seq }: Message): boolean {
    const chat = this.#store?.chats.get(chat_id);
    return chat !== undefined && seq > chat.seq - STORED_MESSAGES;
  }
}
