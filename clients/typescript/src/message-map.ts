import { type Signal, signal } from '@preact/signals-core';
import type { Message } from '../../../src/contract/messages.js';
import type { ChatErrorCode } from './errors.js';
import { type Observable, observe } from './observable.js';
import type { OutboxEntry } from './storage/storage.js';

/** Where a message is: in the outbox, on the server, read by all other members, or refused for good. */
export type MessageStatus = 'sending' | 'sent' | 'read' | 'failed';

/** An edit or a deletion in the outbox. An edit that is `failed` has the refused text; the message shows the old one. */
export interface PendingChange {
  readonly kind: 'edit' | 'delete';
  readonly status: 'sending' | 'failed';
  readonly text: string | null;
  readonly error: ChatErrorCode | null;
}

/** A message as it is shown, from the first try to the last reader. It is replaced, never changed. */
export interface ChatMessage extends Omit<Message, 'id' | 'seq'> {
  /** Its key in the chat, the same from the first try on: the `client_message_id`. */
  readonly key: string;
  /** Null until the server has it. */
  readonly id: number | null;
  readonly seq: number | null;
  readonly status: MessageStatus;
  /** Why it has failed. */
  readonly error: ChatErrorCode | null;
  /** What waits in the outbox, or has failed, to be done to it. */
  readonly change: PendingChange | null;
}

/** What the views of messages also depend on. */
export interface Surroundings {
  readonly userId: number;
  readByAll(chatId: number): number;
}

const idOf = (chatId: number, key: string): string => `${chatId}/${key}`;

/** All messages that are held, each once: lists hold their keys. */
export class MessageMap {
  readonly #byId = new Map<string, Message>();
  readonly #entries = new Map<string, OutboxEntry[]>();
  /** Made when somebody looks, and thrown away when something of it changes. */
  readonly #views = new Map<string, ChatMessage>();
  /** Of those that somebody watches. */
  readonly #watched = new Map<string, Signal<ChatMessage | undefined>>();

  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  stored(chatId: number, key: string): Message | undefined {
    return this.#byId.get(idOf(chatId, key));
  }

  /** Keeps the newer one of two versions. */
  put(message: Message): boolean {
    const id = idOf(message.chat_id, message.client_message_id);
    const held = this.#byId.get(id);
    if (held && (held.change_seq ?? 0) > (message.change_seq ?? 0)) return false;
    this.#byId.set(id, message);
    this.#refresh(id);
    return true;
  }

  drop(chatId: number, keys: Iterable<string>): void {
    for (const key of keys) {
      this.#byId.delete(idOf(chatId, key));
      this.#refresh(idOf(chatId, key));
    }
  }

  /** Takes what the outbox holds now. Returns the ids of the chats in which that may be other than before. */
  takeOutbox(entries: readonly OutboxEntry[]): Set<number> {
    const changed = new Set(this.#entries.keys());
    this.#entries.clear();
    for (const entry of entries) {
      if (entry.kind === 'read') continue;
      const id = idOf(entry.chat_id, entry.key);
      this.#entries.set(id, [...(this.#entries.get(id) ?? []), entry]);
      changed.add(id);
    }
    for (const id of changed) this.#refresh(id);
    return new Set([...changed].map((id) => Number(id.split('/')[0])));
  }

  /** The message, the same object until something of it changes. */
  view(chatId: number, key: string): ChatMessage | undefined {
    const id = idOf(chatId, key);
    const known = this.#views.get(id);
    if (known) return known;
    const view = this.#build(chatId, key, this.#byId.get(id), this.#entries.get(id) ?? []);
    if (view) this.#views.set(id, view);
    return view;
  }

  observe(chatId: number, key: string): Observable<ChatMessage | undefined> {
    return {
      get: () => this.view(chatId, key),
      subscribe: (listener) => observe(this.#signalOf(chatId, key)).subscribe(listener),
    };
  }

  /** Says that something around the message has changed: who has read it. */
  renew(chatId: number, key: string): void {
    this.#refresh(idOf(chatId, key));
  }

  #signalOf(chatId: number, key: string): Signal<ChatMessage | undefined> {
    const id = idOf(chatId, key);
    const known = this.#watched.get(id);
    if (known) return known;
    const made = signal(this.view(chatId, key), { unwatched: () => void this.#watched.delete(id) });
    this.#watched.set(id, made);
    return made;
  }

  #refresh(id: string): void {
    this.#views.delete(id);
    const watched = this.#watched.get(id);
    const slash = id.indexOf('/');
    if (watched) watched.value = this.view(Number(id.slice(0, slash)), id.slice(slash + 1));
  }

  #build(
    chatId: number,
    key: string,
    stored: Message | undefined,
    entries: readonly OutboxEntry[],
  ): ChatMessage | undefined {
    const change = changeOf(entries);
    const shown = change?.status === 'sending' ? change : null;
    if (!stored) return this.#buildUnsent(chatId, key, entries, change);
    const isRead = stored.seq <= this.#around.readByAll(chatId);
    return {
      ...stored,
      ...(shown && { text: shown.text }),
      key,
      is_read: isRead,
      status: isRead && stored.sender_id === this.#around.userId ? 'read' : 'sent',
      error: null,
      change,
    };
  }

  #buildUnsent(
    chatId: number,
    key: string,
    entries: readonly OutboxEntry[],
    change: PendingChange | null,
  ): ChatMessage | undefined {
    const entry = entries.find(({ kind }) => kind === 'send');
    if (entry?.kind !== 'send') return undefined;
    return {
      id: null,
      seq: null,
      chat_id: chatId,
      sender_id: this.#around.userId,
      text: change?.status === 'sending' ? change.text : entry.text,
      timestamp: entry.created_at,
      is_read: false,
      client_message_id: key,
      change_seq: null,
      reply_to_id: entry.reply_to_id ?? null,
      edited_at: null,
      deleted_at: null,
      key,
      status: entry.error ? 'failed' : 'sending',
      error: entry.error,
      change,
    };
  }
}

/** The last edit or deletion of a message that waits or has failed. */
function changeOf(entries: readonly OutboxEntry[]): PendingChange | null {
  const entry = entries.findLast(({ kind }) => kind === 'edit' || kind === 'delete');
  if (entry?.kind !== 'edit' && entry?.kind !== 'delete') return null;
  const text = entry.kind === 'edit' ? entry.text : null;
  return { kind: entry.kind, status: entry.error ? 'failed' : 'sending', text, error: entry.error };
}
