import { computed, type ReadonlySignal } from '@preact/signals-core';
import type { Member, Role } from '../../../src/contract/chats.js';
import type { Message } from '../../../src/contract/messages.js';
import { type ChatState, stateOf } from './chat-state.js';
import { ChatError, signedOut } from './errors.js';
import type { HeldChat } from './held-chat.js';
import type { ChatMessage, MessageMap } from './message-map.js';
import { type Observable, observe, track } from './observable.js';
import type { Scope } from './scope.js';
import type { Session } from './session.js';
import { MessageWindow, type PageQuery } from './window.js';

const PAGE = 50;
const MEMBERS_OF_A_PAGE = 100;

/** A chat of the person who is signed in, whether it is held already or not. */
export class ChatHandle {
  /** Undefined while the person isn't in this chat, as far as the device knows. */
  readonly state: Observable<ChatState | undefined>;
  readonly #held: ReadonlySignal<HeldChat | undefined>;

  readonly #scope: ReadonlySignal<Scope | undefined>;
  readonly #session: Session;

  constructor(
    readonly id: number,
    scope: ReadonlySignal<Scope | undefined>,
    session: Session,
  ) {
    this.#scope = scope;
    this.#session = session;
    this.#held = computed(() => {
      if (scope.value) track(scope.value.store.version);
      return scope.value?.store.chats.get(id);
    });
    this.state = observe(computed(() => this.#held.value && stateOf(scope.value!, this.#held.value).value));
  }

  /**
   * A window on the messages: the newest ones, or those around the `seq` `around`. `limit` is how many a page has, up to
   * 100. Its first page is fetched if need be; if that fails, `newest`, `around` or `older` try again.
   */
  messages({ around, limit = PAGE }: { around?: number; limit?: number } = {}): MessageWindow {
    const unsent = computed(() => this.#unsent());
    const source = { chat: this.#held, unsent, fetch: (query: PageQuery) => this.#fetchPage(query) };
    const shown = new MessageWindow(source, limit);
    (around === undefined ? shown.newest() : shown.around(around)).catch(() => undefined);
    return shown;
  }

  /** A message by its key: the same object for everybody, until something of it changes. */
  message(key: string): Observable<ChatMessage | undefined> {
    const messages = (): MessageMap | undefined => this.#scope.peek()?.store.messages;
    return {
      get: () => messages()?.view(this.id, key),
      subscribe: (listener) => messages()?.observe(this.id, key).subscribe(listener) ?? (() => undefined),
    };
  }

  /**
   * Puts a message into the outbox. Resolves with its key when it is stored on this device; the rest happens by itself.
   * `reply_to_id` is the id of the message it answers.
   * @throws ChatError `validation_failed` or `storage_full`: then nothing was kept
   */
  async send(text: string, { reply_to_id }: { reply_to_id?: number } = {}): Promise<string> {
    return this.#open.outbox.send(this.id, text, reply_to_id);
  }

  /** Edits one's own message, sent or not. Throws as `send` does. */
  async edit(key: string, text: string): Promise<void> {
    return this.#open.outbox.edit(this.id, key, text, this.#stored(key));
  }

  /** Deletes a message, sent or not. Throws as `send` does. */
  async remove(key: string): Promise<void> {
    return this.#open.outbox.remove(this.id, key, this.#stored(key));
  }

  /** Says that all up to this message are read; without a key, all that have come. Throws as `send` does. */
  async read(key?: string): Promise<void> {
    const message = key === undefined ? this.#newest() : this.#stored(key);
    if (message && message.seq > (this.state.get()?.last_read_seq ?? 0)) await this.#open.outbox.read(message);
  }

  /** Tries a message, an edit or a deletion again that has failed. Throws as `send` does. */
  async retry(key: string): Promise<void> {
    return this.#open.outbox.retry(this.id, key);
  }

  /** Gives up a message, an edit or a deletion that has failed. */
  async drop(key: string): Promise<void> {
    return this.#open.outbox.drop(this.id, key);
  }

  /** Tells the others that one types, or has stopped. Nothing is kept of that, and without a connection nothing told. */
  typing(isTyping: boolean): void {
    this.#scope
      .peek()
      ?.connection.request('typing', { chat_id: this.id, is_typing: isTyping })
      .catch(() => undefined);
  }

  /**
   * Fetches the members; from then on they are in `state`, and kept up to date.
   * @throws ChatError `chat_not_found`, `no_answer`
   */
  async loadMembers(): Promise<void> {
    for (let isTaken = false; !isTaken;) {
      const chat = await this.#session.request('get', '/chats/{id}', { ids: { id: this.id } });
      const members: Member[] = [...chat.members];
      while (members.length < chat.member_count) {
        const query = { limit: MEMBERS_OF_A_PAGE, offset: members.length };
        const page = await this.#session.request('get', '/chats/{id}/members', { ids: { id: this.id }, query });
        if (page.length === 0) break;
        members.push(...page);
      }
      const isWhole = members.length === chat.members.length || (await this.#isStill(chat.last_change_seq));
      const held = this.#held.peek();
      if (!held) throw new ChatError('chat_not_found', 'There is no such chat.');
      isTaken = isWhole && held.takeMembers(chat, members);
    }
  }

  /** Renames a group. @throws ChatError `forbidden`, `validation_failed`, `no_answer` */
  async rename(name: string): Promise<void> {
    await this.#session.request('patch', '/groups/{id}', { ids: { id: this.id }, body: { name } });
  }

  /** Adds somebody to a group. @throws ChatError `forbidden`, `user_not_found`, `blocked`, `limit_reached`, `no_answer` */
  async addMember(userId: number): Promise<void> {
    await this.#session.request('put', '/groups/{group_id}/members/{user_id}', { ids: this.#memberIds(userId) });
  }

  /** Takes somebody out of a group; oneself to leave. @throws ChatError `forbidden`, `no_answer` */
  async removeMember(userId: number): Promise<void> {
    await this.#session.request('delete', '/groups/{group_id}/members/{user_id}', { ids: this.#memberIds(userId) });
  }

  /** Gives a member another role; `owner` hands the group over. @throws ChatError `forbidden`, `no_answer` */
  async setRole(userId: number, role: Role): Promise<void> {
    const ids = this.#memberIds(userId);
    await this.#session.request('patch', '/groups/{group_id}/members/{user_id}', { ids, body: { role } });
  }

  /** Deletes a group for everybody. @throws ChatError `forbidden`, `no_answer` */
  async deleteGroup(): Promise<void> {
    await this.#session.request('delete', '/groups/{id}', { ids: { id: this.id } });
  }

  get #open(): Scope {
    const scope = this.#scope.peek();
    if (!scope) throw signedOut();
    return scope;
  }

  #memberIds(userId: number): { group_id: number; user_id: number } {
    return { group_id: this.id, user_id: userId };
  }

  #stored(key: string): Message | undefined {
    return this.#open.store.messages.stored(this.id, key);
  }

  /** The keys of the messages that are in the outbox and not on the server. */
  #unsent(): readonly string[] {
    const scope = this.#scope.value;
    if (this.#held.value) track(this.#held.value.version);
    const keys = scope?.outbox.unsentIn(this.id) ?? [];
    return keys.filter((key) => !scope?.store.messages.stored(this.id, key));
  }

  #newest(): Message | undefined {
    const held = this.#held.peek();
    const key = held?.timeline.key(held.seq);
    return key === undefined ? (held?.chat.last_message ?? undefined) : this.#stored(key);
  }

  async #isStill(changeSeq: number): Promise<boolean> {
    const { last_change_seq } = await this.#session.request('get', '/chats/{id}', { ids: { id: this.id } });
    return last_change_seq === changeSeq;
  }

  async #fetchPage(query: PageQuery): Promise<void> {
    const ids = { chat_id: this.id };
    const fetch = (): Promise<Message[]> => this.#session.request('get', '/messages/history/{chat_id}', { ids, query });
    await this.#held.peek()?.takePage(fetch);
  }
}
