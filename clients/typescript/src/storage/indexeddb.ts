import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb';
import type { Message } from '../../../../src/contract/messages.js';
import { MemoryDatabase, MemorySession } from './memory.js';
import type {
  Changes,
  Database,
  KeptSession,
  NewEntry,
  OutboxEntry,
  SessionStore,
  Storage,
  StoredChat,
} from './storage.js';

/** The version of the stores below. A database of an earlier one is migrated: see `upgrade`. */
const VERSION = 1;

interface UserSchema extends DBSchema {
  chats: { key: number; value: StoredChat };
  messages: { key: [chat_id: number, seq: number]; value: Message };
  outbox: { key: number; value: OutboxEntry };
}

interface SessionSchema extends DBSchema {
  session: { key: string; value: KeptSession };
}

/** Makes the stores that the version before didn't have. The outbox of earlier versions must be kept. */
function upgrade(database: IDBPDatabase<UserSchema>, from: number): void {
  if (from >= 1) return;
  database.createObjectStore('chats', { keyPath: 'id' });
  database.createObjectStore('messages', { keyPath: ['chat_id', 'seq'] });
  database.createObjectStore('outbox', { keyPath: 'position', autoIncrement: true });
}

/** Writes are on the disk before they count as done, where the browser can do so. */
const DURABLE: IDBTransactionOptions = { durability: 'strict' };

const allOf = (chatId: number, below: number): IDBKeyRange => IDBKeyRange.bound([chatId], [chatId, below], false, true);

/** The database of one user in IndexedDB. */
class IndexedDatabase implements Database {
  readonly #database: IDBPDatabase<UserSchema>;
  readonly #name: string;

  private constructor(database: IDBPDatabase<UserSchema>, name: string) {
    this.#database = database;
    this.#name = name;
  }

  static async open(name: string): Promise<IndexedDatabase> {
    const database: IDBPDatabase<UserSchema> = await openDB<UserSchema>(name, VERSION, {
      upgrade: (made, from) => upgrade(made, from),
      // Another tab deletes the database, or has a newer version of it.
      blocking: () => database.close(),
    });
    return new IndexedDatabase(database, name);
  }

  async load(): Promise<{ chats: StoredChat[]; messages: Message[] }> {
    const read = this.#database.transaction(['chats', 'messages']);
    const [chats, messages] = await Promise.all([
      read.objectStore('chats').getAll(),
      read.objectStore('messages').getAll(),
    ]);
    return { chats, messages };
  }

  outbox(): Promise<OutboxEntry[]> {
    return this.#database.getAll('outbox');
  }

  async add(entry: NewEntry, replaced: readonly number[]): Promise<OutboxEntry> {
    const write = this.#database.transaction('outbox', 'readwrite', DURABLE);
    const removals = replaced.map((position) => write.store.delete(position));
    // The position is made by the store.
    const addition = write.store.add(entry as OutboxEntry);
    await Promise.all([...removals, addition, write.done]);
    return { ...entry, position: await addition };
  }

  async write({ dropped, chats, messages, entries, removed }: Changes): Promise<void> {
    const write = this.#database.transaction(['chats', 'messages', 'outbox'], 'readwrite', DURABLE);
    const [ofChats, ofMessages, outbox] = [
      write.objectStore('chats'),
      write.objectStore('messages'),
      write.objectStore('outbox'),
    ];
    // IndexedDB carries these out in their order; the first one that fails undoes all.
    const steps: Promise<unknown>[] = [];
    for (const id of dropped) steps.push(ofChats.delete(id), ofMessages.delete(allOf(id, Infinity)));
    for (const message of messages) steps.push(ofMessages.put(message));
    for (const chat of chats) steps.push(ofChats.put(chat), ofMessages.delete(allOf(chat.id, chat.from)));
    for (const position of removed) steps.push(outbox.delete(position));
    for (const entry of entries) {
      steps.push(outbox.getKey(entry.position).then((key) => (key === undefined ? undefined : outbox.put(entry))));
    }
    await Promise.all([...steps, write.done]);
  }

  async dropCache(): Promise<void> {
    const write = this.#database.transaction(['chats', 'messages'], 'readwrite');
    await Promise.all([write.objectStore('chats').clear(), write.objectStore('messages').clear(), write.done]);
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }

  async destroy(): Promise<void> {
    this.#database.close();
    await deleteDB(this.#name);
  }
}

/** The session, in a database of its own: one for all users. */
class IndexedSession implements SessionStore {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  load(): Promise<KeptSession | undefined> {
    return this.#use((database) => database.get('session', 'current'));
  }

  save(session: KeptSession | undefined): Promise<void> {
    return this.#use(async (database) => {
      const write = database.transaction('session', 'readwrite', DURABLE);
      const change = session ? write.store.put(session, 'current') : write.store.delete('current');
      await Promise.all([change, write.done]);
    });
  }

  async #use<T>(work: (database: IDBPDatabase<SessionSchema>) => Promise<T>): Promise<T> {
    const database = await openDB<SessionSchema>(this.#name, VERSION, {
      upgrade: (made) => void made.createObjectStore('session'),
    });
    try {
      return await work(database);
    } finally {
      database.close();
    }
  }
}

/**
 * Keeps everything in IndexedDB: the databases `<name>:session` and `<name>:<user id>`. Where there is none, as in some
 * private windows, it keeps everything in memory, and `client.status` says so. Await it before `createClient`.
 */
export async function indexedDbStorage(name = 'windi-chat'): Promise<Storage> {
  const session = new IndexedSession(`${name}:session`);
  const isThere = await session.load().then(
    () => true,
    () => false,
  );
  return {
    isPersistent: isThere,
    session: isThere ? session : new MemorySession(),
    open: (userId) =>
      isThere ? IndexedDatabase.open(`${name}:${userId}`) : Promise.resolve<Database>(new MemoryDatabase()),
  };
}
