import { signal } from '@preact/signals-core';
import { type Clock, Timer } from './clock.js';

/** Who has stopped may not have said so: their connection may have been cut. */
const TYPES_FOR_MS = 8_000;

/** Who is typing, in all chats. */
export class Typing {
  /** The ids of people, by the ids of chats. */
  readonly people = signal<ReadonlyMap<number, readonly number[]>>(new Map());
  readonly #timers = new Map<string, Timer>();

  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  heard({ chat_id, user_id, is_typing }: { chat_id: number; user_id: number; is_typing: boolean }): void {
    const id = `${chat_id}/${user_id}`;
    const timer = this.#timers.get(id) ?? new Timer(this.#clock);
    timer.clear();
    this.#timers.delete(id);
    const others = (this.people.peek().get(chat_id) ?? []).filter((other) => other !== user_id);
    this.people.value = new Map(this.people.peek()).set(chat_id, is_typing ? [...others, user_id] : others);
    if (!is_typing) return;
    this.#timers.set(id, timer);
    timer.set(TYPES_FOR_MS, () => this.heard({ chat_id, user_id, is_typing: false }));
  }

  /** Who has written no longer types. */
  written({ chat_id, sender_id }: { chat_id: number; sender_id: number }): void {
    if (this.#timers.has(`${chat_id}/${sender_id}`)) this.heard({ chat_id, user_id: sender_id, is_typing: false });
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.clear();
  }
}
