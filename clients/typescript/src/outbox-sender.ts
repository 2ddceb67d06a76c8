import { Backoff, type Clock, Timer } from './clock.js';
import type { ChatErrorCode } from './errors.js';
import type { Outbox } from './outbox.js';
import type { OutboxEntry } from './storage/storage.js';

/** How a try has ended. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly code: ChatErrorCode }
  | { readonly kind: 'later'; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'cut' };

/** After so many tries in a row that cut the connection, a command is given up. */
const MOST_CUTS = 5;

/** What the sender does with the outcome. */
export interface SenderHooks {
  /** Tries a command once. */
  attempt(entry: OutboxEntry): Promise<Outcome>;
  /** Whether commands can be sent: there is a connection, and all that was missed has come. */
  isReady(): boolean;
  done(entry: OutboxEntry): void;
  change(entry: OutboxEntry, change: Partial<Pick<OutboxEntry, 'cuts' | 'error'>>): void;
}

/**
 * Sends what waits: one command of a chat at a time, in their order, and of several chats at once. A command whose last
 * try has cut the connection is tried alone, so that no other one is suspected.
 */
export class OutboxSender {
  readonly #busy = new Set<number>();
  readonly #pauses = new Map<number, { timer: Timer; backoff: Backoff; isAsked: boolean }>();
  #isAlone = false;
  #isClosed = false;

  readonly #outbox: Outbox;
  readonly #hooks: SenderHooks;
  readonly #clock: Clock;

  constructor(outbox: Outbox, hooks: SenderHooks, clock: Clock) {
    this.#outbox = outbox;
    this.#hooks = hooks;
    this.#clock = clock;
  }

  /** Starts what can be started. Call it whenever something has changed. */
  drain(): void {
    if (this.#isClosed || !this.#hooks.isReady() || this.#isAlone) return;
    const next = this.#next();
    for (const entry of next) if (entry.cuts === 0) void this.#run(entry);
    const suspect = next.find(({ cuts }) => cuts > 0);
    if (!suspect || this.#busy.size > 0) return;
    this.#isAlone = true;
    void this.#run(suspect);
  }

  /** There is a new connection: only pauses that the server has asked for go on. */
  resume(): void {
    for (const { timer, isAsked } of this.#pauses.values()) if (!isAsked) timer.clear();
    this.drain();
  }

  close(): void {
    this.#isClosed = true;
    for (const { timer } of this.#pauses.values()) timer.clear();
  }

  /** The first command of each chat in which none is under way and no pause is kept. */
  #next(): OutboxEntry[] {
    const first = new Map<number, OutboxEntry>();
    for (const entry of this.#outbox.waiting()) {
      if (!first.has(entry.chat_id) && !this.#isBlocked(entry)) first.set(entry.chat_id, entry);
    }
    return [...first.values()].filter(
      ({ chat_id }) => !this.#busy.has(chat_id) && !this.#pauses.get(chat_id)?.timer.isSet,
    );
  }

  /** A change waits until its message is on the server, also when that has failed and is tried again later. */
  #isBlocked({ kind, chat_id, key }: OutboxEntry): boolean {
    return (kind === 'edit' || kind === 'delete') && this.#outbox.sendOf(chat_id, key) !== undefined;
  }

  async #run(entry: OutboxEntry): Promise<void> {
    this.#busy.add(entry.chat_id);
    this.#outbox.tried(entry);
    const outcome = await this.#hooks.attempt(entry);
    this.#busy.delete(entry.chat_id);
    this.#isAlone = false;
    if (this.#isClosed) return;
    this.#settle(entry, outcome);
    this.drain();
  }

  #settle(entry: OutboxEntry, outcome: Outcome): void {
    if (outcome.kind === 'later') this.#pause(entry.chat_id, outcome.retryAfterMs);
    else this.#pauses.get(entry.chat_id)?.backoff.reset();
    if (outcome.kind === 'done') this.#hooks.done(entry);
    if (outcome.kind === 'refused') this.#fail(entry, outcome.code);
    if (outcome.kind === 'cut') this.#cut(entry);
    // It was answered, so it isn't what cuts the connection.
    if (outcome.kind === 'later' && entry.cuts > 0 && outcome.retryAfterMs !== undefined)
      this.#hooks.change(entry, { cuts: 0 });
  }

  #cut(entry: OutboxEntry): void {
    const cuts = entry.cuts + 1;
    if (cuts < MOST_CUTS) this.#hooks.change(entry, { cuts });
    else this.#fail(entry, 'connection_cut');
  }

  /** A read that is refused is forgotten: a newer one comes. */
  #fail(entry: OutboxEntry, error: ChatErrorCode): void {
    if (entry.kind === 'read') this.#hooks.done(entry);
    else this.#hooks.change(entry, { error });
  }

  #pause(chatId: number, retryAfterMs: number | undefined): void {
    const pause = this.#pauses.get(chatId) ?? {
      timer: new Timer(this.#clock),
      backoff: new Backoff(this.#clock),
      isAsked: false,
    };
    pause.isAsked = retryAfterMs !== undefined;
    this.#pauses.set(chatId, pause);
    pause.timer.set(pause.backoff.next(retryAfterMs), () => this.drain());
  }
}
