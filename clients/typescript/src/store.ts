import { batch, signal } from '@preact/signals-core';
import type { Chat } from '../../../src/contract/chats.js';
import type { ServerToClientEvents } from '../../../src/contract/events.js';
import type { Message } from '../../../src/contract/messages.js';
import type { ChatNews, News, SyncCursor } from '../../../src/contract/sync.js';
import { type ChatListener, HeldChat } from './held-chat.js';
import { MessageMap } from './message-map.js';
import type { OutboxEntry, StoredChat } from './storage/storage.js';

/** What is to be stored of the changes. */
export interface StoreListener extends ChatListener {
  dropped(chatId: number): void;
}

type Payload<Event extends keyof ServerToClientEvents> = Parameters<ServerToClientEvents[Event]>[0];

/** The chats and messages of a user as this device knows them. Events, syncs, pages and acks change it. */
export class Store {
  readonly chats = new Map<number, HeldChat>();
  readonly messages: MessageMap;
  /** Grows when a chat comes or goes. */
  readonly version = signal(0);
  /** A message has come of a chat that isn't held. */
  private isChatMissing = false;
  /** The chats removed since the last page of a sync was asked for: it may still bring them. */
  private readonly removed = new Set<number>();

  constructor(
    readonly userId: number,
    private readonly listener: StoreListener,
  ) {
    this.messages = new MessageMap({ userId, readByAll: (id) => this.chats.get(id)?.chat.read_by_all_seq ?? 0 });
  }

  /** Takes what was stored. Messages that don't belong to the run of their chat are left for the next sync. */
  load(chats: readonly StoredChat[], messages: readonly Message[]): void {
    batch(() => {
      for (const { chat, seq, change_seq, members } of chats) {
        const held = this.start(chat, seq, change_seq);
        if (members) held.members = new Map(members.map((member) => [member.user_id, member]));
      }
      const stored = new Map(chats.map((chat) => [chat.id, chat]));
      for (const message of messages) {
        const chat = stored.get(message.chat_id);
        if (chat && message.seq >= chat.from && message.seq <= chat.seq) this.chats.get(chat.id)!.hold(message);
      }
    });
  }

  /** Applies an event. What an event after a gap can't say, the next sync does: see `isBehind`. */
  apply<Event extends keyof ServerToClientEvents>(event: Event, payload: Payload<Event>): void {
    batch(() => this.applyNow(event, payload));
  }

  /** Whether something is missing. What was heard a moment ago may still be under way. */
  get isBehind(): boolean {
    return this.isChatMissing || [...this.chats.values()].some((chat) => chat.isBehind);
  }

  /** What is held, as a sync that begins now asks for. */
  beginSync(): void {
    this.isChatMissing = false;
    for (const chat of this.chats.values()) chat.beginSync();
  }

  /** What is held, as the next page of a sync, which is sent now, asks for. */
  cursors(): Record<string, SyncCursor> {
    this.removed.clear();
    return Object.fromEntries([...this.chats].map(([id, chat]) => [id, chat.cursor]));
  }

  takeNews({ chats, removed_chat_ids }: News): void {
    batch(() => {
      for (const id of removed_chat_ids) this.drop(id);
      for (const chat of chats) if (!this.removed.has(chat.id)) this.takeChatNews(chat);
    });
  }

  /** Takes a message as an ack has it. */
  acked(message: Message): void {
    batch(() => this.chats.get(message.chat_id)?.acked(message));
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
    this.removed.delete(chat.id);
    const held = this.chats.get(chat.id);
    if (!held) return this.start(chat, chat.last_seq, chat.last_change_seq);
    if (chat.last_seq > held.seq || chat.last_change_seq > held.change_seq) {
      held.restart(chat, chat.last_seq);
      this.listener.dropped(chat.id);
      held.touch();
    }
    return held;
  }

  drop(chatId: number): void {
    this.removed.add(chatId);
    const held = this.chats.get(chatId);
    if (!held) return;
    this.chats.delete(chatId);
    this.messages.drop(chatId, held.timeline.all());
    this.listener.dropped(chatId);
    held.version.value += 1;
    this.version.value += 1;
  }

  clear(): void {
    batch(() => {
      for (const id of [...this.chats.keys()]) this.drop(id);
      this.messages.clear();
    });
  }

  private applyNow(event: keyof ServerToClientEvents, payload: object): void {
    const { chat_id, id } = payload as { chat_id?: number; id?: number };
    if (event === 'chat:created') return void this.startChat(payload as Chat);
    if (event === 'chat:removed') return this.drop(chat_id!);
    const held = this.chats.get((chat_id ?? id)!);
    if (!held) {
      this.isChatMissing ||= event === 'message:created';
      return;
    }
    if (event === 'message:created') held.created(payload as Message);
    if (event === 'message:updated' || event === 'message:deleted') held.updated(payload as Message);
    if (event === 'read_receipt') held.read(payload as Payload<'read_receipt'>);
    if (event === 'chat:updated' || event.startsWith('member:')) {
      held.takeChange(event, payload as Payload<'chat:updated' | 'member:added'>);
    }
  }

  private takeChatNews(news: ChatNews): void {
    const known = this.chats.get(news.id);
    if (news.reset) this.listener.dropped(news.id);
    const held = known ?? this.start(news, 0, 0);
    held.takeNews(news, !known || news.reset);
  }

  private start(chat: Chat, seq: number, changeSeq: number): HeldChat {
    const held = new HeldChat(chat, seq, changeSeq, this.userId, this.messages, this.listener);
    this.chats.set(chat.id, held);
    this.version.value += 1;
    this.listener.changed(held);
    return held;
  }
}
