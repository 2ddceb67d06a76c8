import { computed, effect, type ReadonlySignal, signal } from '@preact/signals-core';
import { type ChatState, stateOf } from './chat-state.js';
import type { HeldChat } from './held-chat.js';
import { track } from './observable.js';
import type { Scope } from './scope.js';

/** What a chat has become, by its id; undefined when it is gone. */
type Changes = Map<number, ChatState | undefined>;

/**
 * The chats, the one with the latest message first. While somebody looks, a change moves the chats that have changed:
 * the others are neither computed nor sorted again.
 */
export function chatList(scope: Scope): ReadonlySignal<readonly ChatState[]> {
  const changes: Changes = new Map();
  let list: readonly ChatState[] = [];
  let end: (() => void) | undefined;
  const tell = (id: number, state?: ChatState): void => {
    changes.set(id, state);
    if (end) turn.value = turn.peek() + 1;
  };
  /** Grows with each change while somebody looks. */
  const turn = signal(0, {
    watched: () => void (end = follow(scope, tell)),
    unwatched: () => {
      end!();
      end = undefined;
      list = [];
      changes.clear();
      // What was computed last is good no longer: nothing follows the chats now.
      turn.value = turn.peek() + 1;
    },
  });
  return computed(() => {
    track(turn);
    if (!end) return withChanges([], allOf(scope));
    list = withChanges(list, changes);
    changes.clear();
    return list;
  });
}

/** All chats, tracked. */
function allOf(scope: Scope): Changes {
  track(scope.store.version);
  return new Map([...scope.store.chats].map(([id, held]) => [id, stateOf(scope, held).value]));
}

/** Tells of each chat now, and again when it changes or goes. Returns the way to end that. */
function follow(scope: Scope, tell: (id: number, state?: ChatState) => void): () => void {
  const ends = new Map<HeldChat, () => void>();
  const { chats, version } = scope.store;
  const end = effect(() => {
    track(version);
    for (const [held, endOne] of ends) {
      if (chats.get(held.chat.id) === held) continue;
      endOne();
      ends.delete(held);
      tell(held.chat.id);
    }
    for (const [id, held] of chats) {
      if (!ends.has(held))
        ends.set(
          held,
          effect(() => tell(id, stateOf(scope, held).value)),
        );
    }
  });
  return () => {
    end();
    for (const endOne of ends.values()) endOne();
  };
}

/** A new list. The place of a chat is found by halves: all others are in order. */
function withChanges(list: readonly ChatState[], changes: Changes): readonly ChatState[] {
  const next = list.filter(({ id }) => !changes.has(id));
  for (const state of changes.values()) {
    if (!state) continue;
    let [low, high] = [0, next.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(next[middle]!, state)) low = middle + 1;
      else high = middle;
    }
    next.splice(low, 0, state);
  }
  return next;
}

function isBefore(one: ChatState, other: ChatState): boolean {
  const [first, second] = [activeAt(one), activeAt(other)];
  return first > second || (first === second && one.id > other.id);
}

const activeAt = ({ last_message, created_at }: ChatState): string => last_message?.timestamp ?? created_at;
