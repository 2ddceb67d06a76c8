import type { Message } from '../../../../src/contract/messages.js';
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

/** A database in memory. */
export class MemoryDatabase implements Database {
  protected readonly chats = new Map<number, StoredChat>();
  protected readonly messages = new Map<number, Map<number, Message>>();
  protected readonly entries = new Map<number, OutboxEntry>();
  #last = 0;

  load(): Promise<{ chats: StoredChat[]; messages: Message[] }> {
    const messages = [...this.messages.values()].flatMap((ofChat) => [...ofChat.values()]);
    return Promise.resolve({ chats: [...this.chats.values()], messages });
  }

  outbox(): Promise<OutboxEntry[]> {
    return Promise.resolve([...this.entries.values()]);
  }

  add(entry: NewEntry, replaced: readonly number[]): Promise<OutboxEntry> {
    return Promise.resolve(this.putInstead({ ...entry, position: this.nextPosition() }, replaced));
  }

  write(changes: Changes): Promise<void> {
    this.apply(changes);
    return Promise.resolve();
  }

  dropCache(): Promise<void> {
    this.clearCache();
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    this.entries.clear();
    this.clearCache();
    return Promise.resolve();
  }

  protected clearCache(): void {
    this.chats.clear();
    this.messages.clear();
  }

  protected nextPosition(): number {
    return this.#last + 1;
  }

  protected putInstead(entry: OutboxEntry, replaced: readonly number[]): OutboxEntry {
    for (const position of replaced) this.entries.delete(position);
    this.#last = Math.max(this.#last, entry.position);
    this.entries.set(entry.position, entry);
    return entry;
  }

  protected apply({ dropped, chats, messages, entries, removed }: Changes): void {
    for (const id of dropped) {
      this.chats.delete(id);
      this.messages.delete(id);
    }
    for (const message of messages) this.#messagesOf(message.chat_id).set(message.seq, message);
    for (const chat of chats) this.#putChat(chat);
    for (const entry of entries) if (this.entries.has(entry.position)) this.entries.set(entry.position, entry);
    for (const position of removed) this.entries.delete(position);
  }

  #putChat(chat: StoredChat): void {
    this.chats.set(chat.id, chat);
    const messages = this.#messagesOf(chat.id);
    for (const seq of messages.keys()) if (seq < chat.from) messages.delete(seq);
  }

  #messagesOf(chatId: number): Map<number, Message> {
    const known = this.messages.get(chatId);
    if (known) return known;
    const messages = new Map<number, Message>();
    this.messages.set(chatId, messages);
    return messages;
  }
}

/** A session that is forgotten when the program ends. */
export class MemorySession implements SessionStore {
  #session: KeptSession | undefined;

  load(): Promise<KeptSession | undefined> {
    return Promise.resolve(this.#session);
  }

  save(session: KeptSession | undefined): Promise<void> {
    this.#session = session;
    return Promise.resolve();
  }
}

/** Keeps everything in memory: what waits in the outbox is lost when the program ends. */
export function memoryStorage(): Storage {
  const databases = new Map<number, Database>();
  return {
    isPersistent: false,
    session: new MemorySession(),
    open(userId) {
      const database = databases.get(userId) ?? new MemoryDatabase();
      databases.set(userId, database);
      return Promise.resolve(database);
    },
  };
}
