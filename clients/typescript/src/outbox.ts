import { signal } from '@preact/signals-core';
import type { Message } from '../../../src/contract/messages.js';
import type { Clock } from './clock.js';
import { ChatError } from './errors.js';
import type { Command, Database, NewEntry, OutboxEntry } from './storage/storage.js';
import { NO_CHANGES } from './storage/storage.js';
import { checkText } from './text.js';

const noSpace = (): ChatError => new ChatError('storage_full', 'There is no space to keep this until it is sent.');

/** The entries that wait in one chat, by what is asked of them. */
const isOf =
  (chatId: number, key: string) =>
  (entry: OutboxEntry): boolean =>
    entry.chat_id === chatId && entry.key === key && entry.kind !== 'read';

/**
 * The commands that wait to be carried out, of all tabs. Each is stored before its first try. `OutboxSender` sends them
 * in the leading tab.
 */
export class Outbox {
  readonly entries = signal<readonly OutboxEntry[]>([]);
  /** The positions of the sends of this tab that have never been tried: nobody else has seen them. */
  readonly #untried = new Set<number>();
  /** The positions of those that are carried out, and about to be removed. */
  readonly #finished = new Set<number>();
  #isLeading = false;

  readonly #database: Database;
  readonly #clock: Clock;
  readonly #onStored: () => void;
  /** Called when there is no space: makes some. */
  readonly #makeSpace: () => Promise<void>;

  /** `onStored` is called when what is stored has changed. */
  constructor(
    database: Database,
    clock: Clock,
    onStored: () => void,
    /** Called when there is no space: makes some. */
    makeSpace: () => Promise<void>,
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#onStored = onStored;
    this.#makeSpace = makeSpace;
  }

  /** Reads what is stored: at the start, and when another tab has written. */
  async load(): Promise<void> {
    const entries = await this.#database.outbox();
    // The leader knows of states that aren't written yet.
    this.entries.value = this.#isLeading ? entries.map((entry) => this.current(entry)) : entries;
  }

  /** From now on this tab sends: it knows which of its own commands have been tried. */
  lead(): void {
    this.#isLeading = true;
    this.#untried.clear();
  }

  /**
   * Puts a message into the outbox. Resolves with its key when it is stored.
   * @throws ChatError `validation_failed` or `storage_full`: then nothing is stored
   */
  async send(chatId: number, text: string, replyToId?: number): Promise<string> {
    checkText(text);
    const key = crypto.randomUUID();
    const reply = replyToId === undefined ? {} : { reply_to_id: replyToId };
    await this.#add(chatId, { kind: 'send', key, text, ...reply });
    return key;
  }

  /** Puts an edit into the outbox, in place of earlier ones. Throws as `send` does. */
  async edit(chatId: number, key: string, text: string, stored: Message | undefined): Promise<void> {
    checkText(text);
    const unsent = this.sendOf(chatId, key);
    if (unsent && this.#untried.has(unsent.position)) return this.#put({ ...unsent, text } as OutboxEntry);
    await this.#add(chatId, { kind: 'edit', key, text, message_id: stored?.id ?? null }, this.#changes(chatId, key));
  }

  /** Puts a deletion into the outbox, in place of edits. A message that was never tried is dropped. Throws as `send` does. */
  async remove(chatId: number, key: string, stored: Message | undefined): Promise<void> {
    const unsent = this.sendOf(chatId, key);
    if (unsent && (this.#untried.has(unsent.position) || unsent.error)) return this.#take(chatId, key);
    await this.#add(chatId, { kind: 'delete', key, message_id: stored?.id ?? null }, this.#changes(chatId, key));
  }

  /** Puts a read into the outbox, in place of earlier ones. Throws as `send` does. */
  async read({ chat_id, client_message_id, seq, id }: Message): Promise<void> {
    const earlier = this.entries.peek().filter((entry) => entry.chat_id === chat_id && entry.kind === 'read');
    if (earlier.some((entry) => entry.kind === 'read' && entry.seq >= seq)) return;
    const command: Command = { kind: 'read', key: client_message_id, seq, message_id: id };
    await this.#add(chat_id, command, earlier);
  }

  /** Tries again what the server has refused for good, after all that waits in the chat. Throws as `send` does. */
  async retry(chatId: number, key: string): Promise<void> {
    for (const entry of this.#failed(chatId, key)) {
      const { position: _, ...command } = entry;
      await this.#store({ ...command, cuts: 0, error: null }, [entry]);
    }
  }

  /** Gives up what the server has refused for good; with a message also the edits and the deletion that wait for it. */
  async drop(chatId: number, key: string): Promise<void> {
    if (this.sendOf(chatId, key)?.error) return this.#take(chatId, key);
    await this.#discard(this.#failed(chatId, key));
  }

  /** The keys of the messages of a chat that wait to be sent or have failed. */
  unsentIn(chatId: number): readonly string[] {
    return this.entries.value
      .filter(({ kind, chat_id }) => kind === 'send' && chat_id === chatId)
      .map(({ key }) => key);
  }

  /** How far the user has read in a chat, as far as the server doesn't know it yet. */
  readIn(chatId: number): number {
    return Math.max(
      0,
      ...this.entries.value.map((one) => (one.kind === 'read' && one.chat_id === chatId ? one.seq : 0)),
    );
  }

  /** The send of a message, if it waits or has failed. */
  sendOf(chatId: number, key: string): OutboxEntry | undefined {
    return this.entries.peek().find((entry) => entry.kind === 'send' && isOf(chatId, key)(entry));
  }

  /** The changes of a message that wait for its id. */
  changesOf({ chat_id, client_message_id }: Message): (OutboxEntry & { kind: 'edit' | 'delete' })[] {
    return this.#changes(chat_id, client_message_id).filter(({ message_id }) => message_id === null);
  }

  /** The command is about to be sent. */
  tried({ position }: OutboxEntry): void {
    this.#untried.delete(position);
  }

  /** The commands of which none is carried out or refused. */
  waiting(): OutboxEntry[] {
    return this.entries.peek().filter(({ position, error }) => error === null && !this.#finished.has(position));
  }

  /** The command is carried out. Its entry is there until that is stored. */
  finish(position: number): void {
    this.#finished.add(position);
  }

  /** The storage has changed: these are no longer in it. */
  written(removed: readonly number[]): void {
    this.#forget(removed);
    this.#onStored();
  }

  /** A command as it is now. */
  current(entry: OutboxEntry): OutboxEntry {
    return this.entries.peek().find(({ position }) => position === entry.position) ?? entry;
  }

  /** Takes another state of a command, which is stored elsewhere. */
  replace(entry: OutboxEntry): void {
    this.entries.value = this.entries.peek().map((one) => (one.position === entry.position ? entry : one));
  }

  #forget(positions: readonly number[]): void {
    this.entries.value = this.entries.peek().filter(({ position }) => !positions.includes(position));
  }

  #changes(chatId: number, key: string): (OutboxEntry & { kind: 'edit' | 'delete' })[] {
    const entries = this.entries.peek().filter(isOf(chatId, key));
    return entries.filter((entry) => entry.kind === 'edit' || entry.kind === 'delete');
  }

  #failed(chatId: number, key: string): OutboxEntry[] {
    return this.entries.peek().filter((entry) => entry.error !== null && isOf(chatId, key)(entry));
  }

  /** Removes a message that wasn't sent, with its changes. */
  #take(chatId: number, key: string): Promise<void> {
    return this.#discard(this.entries.peek().filter(isOf(chatId, key)));
  }

  async #discard(entries: readonly OutboxEntry[]): Promise<void> {
    const positions = entries.map(({ position }) => position);
    this.#forget(positions);
    await this.#database.write({ ...NO_CHANGES, removed: positions }).catch(async () => {
      await this.load();
      throw noSpace();
    });
    // Once more: what was read before may have come meanwhile.
    this.written(positions);
  }

  /** What is shown changes first, so that it is sent as it is shown. */
  async #put(entry: OutboxEntry): Promise<void> {
    const before = this.current(entry);
    this.replace(entry);
    await this.#database.write({ ...NO_CHANGES, entries: [entry] }).catch(() => {
      if (this.#untried.has(entry.position)) this.replace(before);
      throw noSpace();
    });
    this.#onStored();
  }

  #add(chatId: number, command: Command, replaced: readonly OutboxEntry[] = []): Promise<OutboxEntry> {
    const created_at = new Date(this.#clock.now()).toISOString();
    return this.#store({ ...command, chat_id: chatId, created_at, cuts: 0, error: null }, replaced);
  }

  async #store(entry: NewEntry, replaced: readonly OutboxEntry[]): Promise<OutboxEntry> {
    const positions = replaced.map(({ position }) => position);
    const added = await this.#database
      .add(entry, positions)
      // The cache makes room for the outbox.
      .catch(() => this.#makeSpace().then(() => this.#database.add(entry, positions)))
      .catch(() => {
        throw noSpace();
      });
    if (this.#isLeading && added.kind === 'send') this.#untried.add(added.position);
    const others = this.entries
      .peek()
      .filter(({ position }) => !positions.includes(position) && position !== added.position);
    this.entries.value = [...others, added].sort((one, other) => one.position - other.position);
    this.#onStored();
    return added;
  }
}
