import { computed, type ReadonlySignal, signal } from '@preact/signals-core';
import type { HeldChat } from './held-chat.js';
import { type Observable, observe, track } from './observable.js';

/** A part of the messages of a chat. */
export interface WindowState {
  /** The keys of the messages, the oldest first; at the end of the chat also those in the outbox. */
  readonly keys: readonly string[];
  /** Whether there are older ones on the server, and newer ones. */
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** Whether a page is under way. */
  readonly isLoading: boolean;
}

/** A page of the history: the messages before or after a `seq`, or around it. */
export type PageQuery = { limit: number } & ({ before_seq: number } | { after_seq: number } | { around_seq: number });

/** What a window shows messages of. */
export interface WindowSource {
  /** The chat, tracked; undefined while it isn't held. */
  readonly chat: ReadonlySignal<HeldChat | undefined>;
  /** The keys of the messages in the outbox that aren't stored, in their order. */
  readonly unsent: ReadonlySignal<readonly string[]>;
  /** Fetches a page into the store. */
  fetch(query: PageQuery): Promise<void>;
}

const NOTHING: WindowState = { keys: [], hasOlder: false, hasNewer: false, isLoading: false };

/**
 * A window on the messages of a chat: at its end, where it follows new messages, or around one of them. It grows by
 * pages, from what is held or from the server.
 */
export class MessageWindow {
  readonly state: Observable<WindowState>;
  /** From which `seq` to which; null for the end of the chat, wherever that is. */
  readonly #bounds = signal<{ from: number; to: number | null; epoch: number } | undefined>(undefined);
  readonly #loading = signal(0);

  readonly #source: WindowSource;
  readonly #limit: number;

  constructor(source: WindowSource, limit: number) {
    this.#source = source;
    this.#limit = limit;
    const parts = computed(() => this.#show());
    this.state = observe(computed(() => ({ ...parts.value, isLoading: this.#loading.value > 0 })));
  }

  /**
   * Shows the newest messages.
   * @throws ChatError as the server refuses the page
   */
  async newest(): Promise<void> {
    const chat = this.#source.chat.peek();
    if (!chat) return;
    const from = Math.max(1, chat.seq - this.#limit + 1);
    this.#bounds.value = { from, to: null, epoch: chat.epoch };
    if (!chat.timeline.covers(from, chat.seq)) await this.#load({ before_seq: chat.seq + 1, limit: this.#limit });
  }

  /** Shows the messages around this one. Throws as `newest` does. */
  async around(seq: number): Promise<void> {
    const chat = this.#source.chat.peek();
    if (!chat) return;
    const from = Math.max(1, seq - Math.floor(this.#limit / 2));
    const to = Math.min(from + this.#limit - 1, chat.chat.last_seq);
    this.#bounds.value = { from, to, epoch: chat.epoch };
    if (!chat.timeline.covers(from, to)) await this.#load({ around_seq: seq, limit: this.#limit });
    this.#bounds.value = { from, to: this.#endAt(chat, to), epoch: chat.epoch };
  }

  /** Shows a page more of older messages. Throws as `newest` does. */
  async older(): Promise<void> {
    const chat = this.#source.chat.peek();
    if (!chat) return;
    const { from, to } = this.#boundsOf(chat);
    const shown = chat.timeline.runAt(to ?? chat.seq);
    const first = shown ? Math.max(shown.from, from) : (to ?? chat.seq) + 1;
    const target = Math.max(1, first - this.#limit);
    if (!chat.timeline.covers(target, first - 1)) await this.#load({ before_seq: first, limit: this.#limit });
    this.#bounds.value = { from: target, to, epoch: chat.epoch };
  }

  /** Shows a page more of newer messages; at the end of the chat it goes on with each that comes. Throws as `newest` does. */
  async newer(): Promise<void> {
    const chat = this.#source.chat.peek();
    if (!chat) return;
    const { from, to } = this.#boundsOf(chat);
    if (to === null) return;
    const target = Math.min(to + this.#limit, chat.chat.last_seq);
    if (!chat.timeline.covers(to + 1, target)) await this.#load({ after_seq: to, limit: this.#limit });
    this.#bounds.value = { from, to: this.#endAt(chat, target), epoch: chat.epoch };
  }

  async #load(query: PageQuery): Promise<void> {
    this.#loading.value += 1;
    try {
      await this.#source.fetch(query);
    } finally {
      this.#loading.value -= 1;
    }
  }

  /** Null when that is the end of the chat. */
  #endAt(chat: HeldChat, to: number): number | null {
    return to >= chat.seq && (chat.timeline.runAt(to)?.to ?? chat.seq) >= chat.seq ? null : to;
  }

  /** After a reset the window is at the end again. */
  #boundsOf({ seq, epoch }: HeldChat): { from: number; to: number | null } {
    const bounds = this.#bounds.value;
    return bounds?.epoch === epoch ? bounds : { from: seq - this.#limit + 1, to: null };
  }

  #show(): WindowState {
    const chat = this.#source.chat.value;
    if (!chat) return NOTHING;
    track(chat.version);
    const { from, to } = this.#boundsOf(chat);
    const last = to ?? chat.seq;
    const run = chat.timeline.runAt(last);
    const first = run ? Math.max(run.from, from) : last + 1;
    const keys = Array.from({ length: last - first + 1 }, (_, index) => chat.timeline.key(first + index)!);
    if (to === null) keys.push(...this.#source.unsent.value);
    return { keys, hasOlder: first > 1, hasNewer: to !== null && to < chat.chat.last_seq, isLoading: false };
  }
}
