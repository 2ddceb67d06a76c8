import { batch, signal } from '@preact/signals-core';
import type { Chat } from '../../../src/contract/chats.js';
import type { ServerToClientEvents } from '../../../src/contract/events.js';
import type { Message } from '../../../src/contract/messages.js';
import type { ChatNews, News, SyncRequest } from '../../../src/contract/sync.js';
import { type ChatListener, HeldChat } from './held-chat.js';
import { MessageMap } from './message-map.js';
import type { OutboxEntry, StoredChat } from './storage/storage.js';

/** What is to be stored of the changes. */
export interface StoreListener extends ChatListener {
  dropped(chatId: number): void;
}

type EventName = keyof ServerToClientEvents;
type Payload<Event extends EventName> = Parameters<ServerToClientEvents[Event]>[0];

/** The cursors of more chats don't fit into a frame of the socket. */
const MOST_CHATS_OF_A_CALL = 500;

/** The chats and messages of a user as this device knows them. Events, syncs, pages and acks change it. */
export class Store {
  readonly chats = new Map<number, HeldChat>();
  readonly messages: MessageMap;
  /** Grows when a chat comes or goes. */
  readonly version = signal(0);
  /** A message has come of a chat that isn't held. */
  #isChatMissing = false;
  /** The events that have come during a call of `sync`; undefined when none is under way. */
  #aside: [event: EventName, payload: object][] | undefined;

  readonly #listener: StoreListener;

  constructor(
    readonly userId: number,
    listener: StoreListener,
  ) {
    this.#listener = listener;
    this.messages = new MessageMap({ userId, readByAll: (id) => this.chats.get(id)?.chat.read_by_all_seq ?? 0 });
  }

  /** Takes what was stored. Messages that don't belong to the run of their chat are left for the next sync. */
  load(chats: readonly StoredChat[], messages: readonly Message[]): void {
    batch(() => {
      for (const { chat, seq, change_seq, members } of chats) {
        const held = this.#start(chat, seq, change_seq);
        if (members) held.members = new Map(members.map((member) => [member.user_id, member]));
      }
      const stored = new Map(chats.map((chat) => [chat.id, chat]));
      for (const message of messages) {
        const chat = stored.get(message.chat_id);
        if (chat && message.seq >= chat.from && message.seq <= chat.seq) this.chats.get(chat.id)!.hold(message);
      }
    });
  }

  /**
   * Takes an event: at once, or after the answer of the call of `sync` that is under way. What an event after a gap can't
   * say, the next sync does: see `isBehind`.
   */
  apply<Event extends EventName>(event: Event, payload: Payload<Event>): void {
    if (this.#aside) this.#aside.push([event, payload]);
    else batch(() => this.#applyNow(event, payload));
  }

  /** Whether something is missing. What was heard a moment ago may still be under way. */
  get isBehind(): boolean {
    return this.#isChatMissing || [...this.chats.values()].some((chat) => chat.isBehind);
  }

  /** What was heard before a sync that begins now, it brings. */
  beginSync(): void {
    this.#isChatMissing = false;
    for (const chat of this.chats.values()) chat.beginSync();
  }

  /**
   * Calls `sync` once, for the chats above `after`. Takes the answer, then the events that came meanwhile; without an
   * answer these alone. Resolves with the chat after which the next call goes on: Infinity when nothing is left.
   */
  async sync(after: number, call: (request: SyncRequest) => Promise<News>): Promise<number> {
    const above = [...this.chats.keys()].filter((id) => id > after).sort((one, other) => one - other);
    const named = above.slice(0, MOST_CHATS_OF_A_CALL);
    const cursors = Object.fromEntries(named.map((id) => [id, this.chats.get(id)!.cursor]));
    // The answer treats chats above the last named one as new. They are for the next call, which names them.
    const last = named.length < above.length ? named.at(-1)! : Infinity;
    this.#aside = [];
    let news: News | undefined;
    try {
      news = await call({ cursors, after_chat_id: after });
      return Math.min(news.next_chat_id ?? Infinity, last);
    } finally {
      const events = this.#aside;
      this.#aside = undefined;
      batch(() => {
        for (const id of news?.removed_chat_ids ?? []) this.drop(id);
        for (const chat of news?.chats ?? []) if (chat.id <= last) this.#takeChatNews(chat, !(chat.id in cursors));
        for (const [event, payload] of events) this.#applyNow(event, payload);
      });
    }
  }

  /** Takes a message as an ack has it: it is held at once. The rest is as if its event had come. */
  acked(message: Message): void {
    const held = this.chats.get(message.chat_id);
    if (!held) return;
    batch(() => {
      held.holdNew(message);
      this.apply(message.change_seq === null ? 'message:created' : 'message:updated', message);
    });
  }

  /** Shows what waits in the outbox. */
  takeOutbox(entries: readonly OutboxEntry[]): void {
    batch(() => {
      for (const id of this.messages.takeOutbox(entries)) {
        const held = this.chats.get(id);
        if (held) held.version.value += 1;
      }
    });
  }

  /** Takes a chat in which the user is now. What is held may be as new. */
  startChat(chat: Chat): HeldChat {
    const held = this.chats.get(chat.id);
    if (!held) return this.#start(chat, chat.last_seq, chat.last_change_seq);
    if (chat.last_seq > held.seq || chat.last_change_seq > held.change_seq) {
      held.restart(chat);
      this.#listener.dropped(chat.id);
      held.touch();
    }
    return held;
  }

  drop(chatId: number): void {
    const held = this.chats.get(chatId);
    if (!held) return;
    this.chats.delete(chatId);
    held.empty();
    this.#listener.dropped(chatId);
    held.version.value += 1;
    this.version.value += 1;
  }

  #applyNow(event: EventName, payload: object): void {
    const { chat_id, id } = payload as { chat_id?: number; id?: number };
    if (event === 'chat:created') return void this.startChat(payload as Chat);
    if (event === 'chat:removed') return this.drop(chat_id!);
    const held = this.chats.get((chat_id ?? id)!);
    if (!held) {
      this.#isChatMissing ||= event === 'message:created';
      return;
    }
    if (event === 'message:created') held.created(payload as Message);
    if (event === 'message:updated' || event === 'message:deleted') held.updated(payload as Message);
    if (event === 'read_receipt') held.read(payload as Payload<'read_receipt'>);
    if (event === 'chat:updated' || event.startsWith('member:')) {
      held.takeChange(event, payload as Payload<'chat:updated' | 'member:added'>);
    }
  }

  /** `isNew`: the cursors didn't name it. */
  #takeChatNews(news: ChatNews, isNew: boolean): void {
    const isFresh = isNew || news.reset;
    const known = this.chats.get(news.id);
    if (known && isFresh) this.#listener.dropped(news.id);
    (known ?? this.#start(news, 0, 0)).takeNews(news, isFresh);
  }

  #start(chat: Chat, seq: number, changeSeq: number): HeldChat {
    const held = new HeldChat(chat, seq, changeSeq, this.userId, this.messages, this.#listener);
    this.chats.set(chat.id, held);
    this.version.value += 1;
    this.#listener.changed(held);
    return held;
  }
}
