import { computed, type ReadonlySignal } from '@preact/signals-core';
import type { Chat, Member } from '../../../src/contract/chats.js';
import type { HeldChat } from './held-chat.js';
import type { ChatMessage } from './message-map.js';
import { track } from './observable.js';
import type { Scope } from './scope.js';

/** A chat as it is shown. It is replaced, never changed. */
export interface ChatState extends Omit<Chat, 'last_message' | 'activity_cursor' | 'last_change_seq'> {
  /** The newest message, also one that is being sent. */
  readonly last_message: ChatMessage | null;
  /** The ids of the others who are typing. */
  readonly typing: readonly number[];
  /** Null until they are fetched: `Chat.loadMembers`. */
  readonly members: readonly Member[] | null;
}

const states = new WeakMap<HeldChat, ReadonlySignal<ChatState>>();

/** The state of a chat, made when somebody looks. */
export function stateOf(scope: Scope, held: HeldChat): ReadonlySignal<ChatState> {
  const known = states.get(held);
  if (known) return known;
  const made = computed(() => build(scope, held));
  states.set(held, made);
  return made;
}

function build(scope: Scope, held: HeldChat): ChatState {
  track(held.version);
  const { last_message, activity_cursor: _, last_change_seq: __, ...chat } = held.chat;
  const lastReadSeq = Math.max(chat.last_read_seq, scope.outbox.readIn(chat.id));
  const views = scope.outbox.unsentIn(chat.id).map((key) => scope.store.messages.view(chat.id, key));
  const unsent = views.findLast((view) => view?.status === 'sending');
  const last = unsent ?? (last_message && scope.store.messages.view(chat.id, last_message.client_message_id));
  return {
    ...chat,
    last_read_seq: lastReadSeq,
    unread_count: Math.max(0, chat.last_seq - lastReadSeq),
    last_message: last ?? null,
    typing: scope.typing.people.value.get(chat.id) ?? [],
    members: held.members && [...held.members.values()],
  };
}
