import { computed, type ReadonlySignal } from '@preact/signals-core';
import type { Chat } from '../../../src/contract/chats.js';
import { chatList } from './chat-list.js';
import type { ChatState } from './chat-state.js';
import { type Observable, observe } from './observable.js';
import type { Scope } from './scope.js';
import type { Session } from './session.js';

/** The chats of the person who is signed in. */
export class Chats {
  /** With the unread count, the last message and the other person of each; the one with the latest message first. */
  readonly list: Observable<readonly ChatState[]>;

  readonly #scope: ReadonlySignal<Scope | undefined>;
  readonly #session: Session;

  constructor(scope: ReadonlySignal<Scope | undefined>, session: Session) {
    this.#scope = scope;
    this.#session = session;
    const none: readonly ChatState[] = [];
    const list = computed(() => scope.value && chatList(scope.value));
    this.list = observe(computed(() => list.value?.value ?? none));
  }

  /**
   * The private chat with this person, new or old. Resolves with its id.
   * @throws ChatError `user_not_found`, `blocked`, `limit_reached`, `no_answer`
   */
  async openPrivate(userId: number): Promise<number> {
    const body = { type: 'private' as const, user_id: userId };
    return this.#take(await this.#session.request('post', '/chats', { body }));
  }

  /**
   * Makes a group of oneself and these people. Resolves with its id, and with those who could not be added.
   * @throws ChatError `user_not_found`, `validation_failed`, `limit_reached`, `no_answer`
   */
  async createGroup(
    name: string,
    memberIds: readonly number[],
  ): Promise<{ id: number; leftOutIds: readonly number[] }> {
    const body = { name, member_ids: [...memberIds] };
    const { left_out_ids = [], ...chat } = await this.#session.request('post', '/groups', { body });
    return { id: this.#take(chat), leftOutIds: left_out_ids };
  }

  #take(chat: Chat): number {
    const store = this.#scope.peek()?.store;
    if (store && !store.chats.has(chat.id)) store.startChat(chat);
    return chat.id;
  }
}
