import { type Clock, systemClock } from '../../src/clock.js';
import { type Client, type ClientStatus, createClient, indexedDbStorage } from '../../src/index.js';
import type { KeptSession, MessageStatus, MessageWindow, OutboxEntry, Storage } from '../../src/index.js';
import { synced, until } from '../clients.js';
import { Halts, type MomentName } from './halts.js';

// What runs in the pages of Chromium: a client, and what a spec asks of it.

/** How a page makes its client. */
export interface PageOptions {
  readonly url: string;
  /** The session that is there before, as a login leaves it. */
  readonly session?: KeptSession;
  /** When the page halts. */
  readonly moment?: MomentName;
  /** No timer of the client ever fires: what it does is done for an event. */
  readonly isTimeless?: boolean;
}

/** A message as the page shows it. */
export interface Shown {
  readonly key: string;
  readonly seq: number | null;
  readonly text: string | null;
  readonly status: MessageStatus;
}

const TIMELESS: Clock = { ...systemClock, setTimeout: () => 0, clearTimeout: () => undefined };

/** The client of a page, by calls whose arguments and results can be sent. */
export class PageClient {
  private client!: Client;
  private storage!: Storage;
  private readonly windows = new Map<number, MessageWindow>();

  async open({ url, session, moment, isTimeless = false }: PageOptions): Promise<void> {
    this.storage = await indexedDbStorage();
    if (session && !(await this.storage.session.load())) await this.storage.session.save(session);
    const halts = new Halts(moment);
    const clock = isTimeless ? TIMELESS : systemClock;
    this.client = await createClient({ url, storage: halts.in(this.storage), fetch: halts.fetch, clock });
  }

  async login(email: string, password: string): Promise<void> {
    await this.client.session.login(email, password);
  }

  async logout(): Promise<void> {
    await this.client.session.logout();
  }

  /** The id of who is signed in. */
  account(): number | undefined {
    return this.client.session.account.get()?.id;
  }

  status(): ClientStatus {
    return this.client.status.get();
  }

  async synced(): Promise<void> {
    await synced(this.client);
  }

  async untilConnection(connection: ClientStatus['connection']): Promise<void> {
    await until(this.client.status, (status) => status.connection === connection);
  }

  async untilStorage(storage: ClientStatus['storage']): Promise<void> {
    await until(this.client.status, (status) => status.storage === storage);
  }

  async untilSignedOut(): Promise<void> {
    await until(this.client.session.account, (account) => account === undefined);
  }

  /** Resolves with the key when the client has accepted the message, or rejects with the code. */
  send(chatId: number, text: string): Promise<string> {
    return this.client.chat(chatId).send(text);
  }

  edit(chatId: number, key: string, text: string): Promise<void> {
    return this.client.chat(chatId).edit(key, text);
  }

  /** Sends one message after the other, and tells the test of each that was accepted. */
  async sendOn(chatId: number, name: string): Promise<void> {
    const { accepted } = globalThis as unknown as { accepted: (key: string) => void };
    for (let number = 0; ; number += 1) accepted(await this.send(chatId, `${name} ${number}`));
  }

  async untilMessage(chatId: number, key: string, status: MessageStatus): Promise<void> {
    await until(this.client.chat(chatId).message(key), (message) => message?.status === status);
  }

  /** Resolves when the last message of the chat has this text. */
  async untilLast(chatId: number, text: string): Promise<void> {
    await until(this.client.chat(chatId).state, (state) => state?.last_message?.text === text);
  }

  /** All messages of the chat. */
  async shown(chatId: number): Promise<Shown[]> {
    const chat = this.client.chat(chatId);
    const shown = this.windows.get(chatId) ?? chat.messages({ limit: 100 });
    this.windows.set(chatId, shown);
    const { keys } = await until(shown.state, ({ isLoading }) => !isLoading);
    if (shown.state.get().hasOlder) return shown.older().then(() => this.shown(chatId));
    return keys.map((key) => {
      const { seq, text, status } = chat.message(key).get()!;
      return { key, seq, text, status };
    });
  }

  /** Resolves when all that was missed has come, and nothing waits in the outbox. */
  async settled(): Promise<void> {
    await synced(this.client);
    await this.inDatabase(async (database) => {
      while ((await database.outbox()).length > 0);
    });
  }

  /** What waits in the outbox, as it is stored. */
  async outbox(): Promise<OutboxEntry[]> {
    return this.inDatabase((database) => database.outbox());
  }

  /** The keys of the stored messages. */
  async stored(): Promise<string[]> {
    const { messages } = await this.inDatabase((database) => database.load());
    return messages.map(({ client_message_id }) => client_message_id);
  }

  /** The names of the databases of this origin. */
  async databases(): Promise<string[]> {
    return (await indexedDB.databases()).map(({ name }) => name!);
  }

  /** How many tabs hold a lock of a leader, and how many wait for one. */
  async leaders(): Promise<{ held: number; waiting: number }> {
    const { held, pending } = await navigator.locks.query();
    const count = (locks?: LockInfo[]): number => (locks ?? []).filter(({ name }) => name!.includes(':leader:')).length;
    return { held: count(held), waiting: count(pending) };
  }

  private async inDatabase<T>(read: (database: Awaited<ReturnType<Storage['open']>>) => Promise<T>): Promise<T> {
    const database = await this.storage.open(this.account()!);
    try {
      return await read(database);
    } finally {
      await database.close();
    }
  }
}

(globalThis as unknown as { page: PageClient }).page = new PageClient();
