import { signal } from '@preact/signals-core';
import type {
  Chat,
  ChatSummary,
  ChatWithMembers,
  Member,
  MemberChange,
  MembershipChange,
} from '../../../src/contract/chats.js';
import type { Message, ReadReceipt } from '../../../src/contract/messages.js';
import type { ChatNews, SyncCursor } from '../../../src/contract/sync.js';
import type { MessageMap } from './message-map.js';
import type { StoredChat } from './storage/storage.js';
import { Timeline } from './timeline.js';

/** How many of the newest messages of a chat are stored. */
export const STORED_MESSAGES = 100;

/** What a chat tells of its changes. */
export interface ChatListener {
  held(message: Message): void;
  changed(chat: HeldChat): void;
}

type ChatChange = (ChatSummary & { member?: undefined }) | MemberChange | MembershipChange;

/**
 * The copy of a chat, kept by the rules of docs/realtime.md: all messages up to `seq` as of `change_seq`, as far as they
 * are held. Others may be held beyond `seq`, which moves on when they join.
 */
export class HeldChat {
  timeline = new Timeline();
  /** By user id; null until they are fetched. */
  members: Map<number, Member> | null = null;
  /** Grows with each change of the chat and of its list of messages. */
  readonly version = signal(0);
  /** Grows when all messages have been dropped. */
  epoch = 0;
  /** The highest numbers that were heard of since the last sync began. */
  #needed = { seq: 0, change_seq: 0 };
  /** The changed messages that came while pages of the history are under way. */
  readonly #underWay = new Set<Message[]>();

  readonly #userId: number;
  readonly #messages: MessageMap;
  readonly #listener: ChatListener;

  constructor(
    public chat: Chat,
    public seq: number,
    public change_seq: number,
    userId: number,
    messages: MessageMap,
    listener: ChatListener,
  ) {
    this.#userId = userId;
    this.#messages = messages;
    this.#listener = listener;
    this.#takeChat(chat);
  }

  get cursor(): SyncCursor {
    const { last_read_seq, read_by_all_seq } = this.chat;
    return { seq: this.seq, change_seq: this.change_seq, last_read_seq, read_by_all_seq };
  }

  get stored(): StoredChat {
    const run = this.timeline.runAt(this.seq);
    return {
      id: this.chat.id,
      chat: this.chat,
      from: Math.max(run?.from ?? this.seq + 1, this.seq - STORED_MESSAGES + 1),
      seq: this.seq,
      change_seq: this.change_seq,
      members: this.members && [...this.members.values()],
    };
  }

  /** Whether something is missing that is before what was heard of. */
  get isBehind(): boolean {
    return this.seq < this.#needed.seq || this.change_seq < this.#needed.change_seq;
  }

  /** A sync that is sent now brings all that was heard of before. */
  beginSync(): void {
    this.#needed = { seq: 0, change_seq: 0 };
  }

  /** Drops all messages and members, and pages that are under way. */
  empty(): void {
    this.#messages.drop(this.chat.id, this.timeline.all());
    this.timeline = new Timeline();
    this.members = null;
    this.epoch += 1;
  }

  /** Drops everything, and starts at what this says. */
  restart(chat: Chat): void {
    this.empty();
    this.seq = chat.last_seq;
    this.change_seq = chat.last_change_seq;
    this.#takeChat(chat);
  }

  created(message: Message): void {
    this.#need(message.seq);
    this.holdNew(message);
    this.#advance();
    this.read({ reader_id: message.sender_id, seq: message.seq, is_read: message.is_read });
  }

  updated(message: Message): void {
    for (const changed of this.#underWay) changed.push(message);
    this.#takeChanged(message);
    if (message.seq <= this.seq) this.#moveTo(message.change_seq!);
    // It is missing, and comes with its changes.
    else this.#need(message.seq, message.change_seq!);
    this.touch();
  }

  /** A change of the chat or of its members. One below the cursor is older than what is held. */
  takeChange(event: string, change: ChatChange): void {
    if (change.change_seq < this.change_seq) return;
    if ('name' in change) this.chat = { ...this.chat, name: change.name, creator_id: change.creator_id };
    if ('member_count' in change) this.chat = { ...this.chat, member_count: change.member_count };
    if (change.member && event === 'member:removed') this.members?.delete(change.member.user_id);
    else if (change.member) this.#takeMember(change.member);
    this.#moveTo(change.change_seq);
    this.#takeReadByAll();
    this.touch();
  }

  /** Somebody has read up to there; `is_read` when everybody has. */
  read({ reader_id, seq, is_read }: Pick<ReadReceipt, 'reader_id' | 'seq' | 'is_read'>): void {
    if (reader_id === this.#userId && seq > this.chat.last_read_seq) this.chat = { ...this.chat, last_read_seq: seq };
    const member = this.members?.get(reader_id);
    if (member && member.last_read_seq < seq) this.members!.set(reader_id, { ...member, last_read_seq: seq });
    if (is_read) this.#moveReadByAll(seq);
    this.#takeReadByAll();
    this.touch();
  }

  /** Takes what a sync says; `isFresh` when nothing of the chat is held, or what is held is to be dropped. */
  takeNews({ messages, has_more, reset: _, members, left_user_ids, ...chat }: ChatNews, isFresh: boolean): void {
    const before = isFresh ? 0 : this.seq;
    if (isFresh) this.restart(chat);
    else this.#takeChat(chat);
    if (!members) this.members = null;
    for (const id of left_user_ids) this.members?.delete(id);
    for (const member of members ?? []) this.members?.set(member.user_id, member);
    for (const message of messages)
      if (message.seq > before) this.hold(message);
      else this.#takeChanged(message);
    for (const changed of this.#underWay) changed.push(...messages);
    const [upTo, changedUpTo] = has_more
      ? [messages.findLast(({ seq }) => seq > before)?.seq, messages.findLast(({ seq }) => seq <= before)?.change_seq]
      : [chat.last_seq, chat.last_change_seq];
    this.seq = upTo ?? this.seq;
    this.change_seq = changedUpTo ?? this.change_seq;
    this.#advance();
    this.touch();
  }

  /** Takes what `GET /chats/{id}` has. False when that is older than what is held: then ask again. */
  takeMembers({ last_change_seq }: Pick<ChatWithMembers, 'last_change_seq'>, members: readonly Member[]): boolean {
    if (last_change_seq < this.change_seq) return false;
    this.members = new Map(members.map((member) => [member.user_id, member]));
    this.#takeReadByAll();
    this.touch();
    return true;
  }

  /** Takes a page of the history. Changes that came while it was under way may be newer than what it has. */
  async takePage(fetch: () => Promise<Message[]>): Promise<void> {
    const { epoch } = this;
    const changed: Message[] = [];
    this.#underWay.add(changed);
    try {
      const page = await fetch();
      if (epoch !== this.epoch) return;
      for (const message of page) this.hold(message);
      for (const message of changed) this.#takeChanged(message);
      this.#advance();
      this.touch();
    } finally {
      this.#underWay.delete(changed);
    }
  }

  /** Takes a message as it was stored. */
  hold(message: Message): void {
    this.timeline.add(message.seq, message.client_message_id);
    if (this.#messages.put(message)) this.#listener.held(message);
    this.#takeLast(message);
  }

  /** Takes a message as it was stored, unless it is an older one whose neighbours aren't held. */
  holdNew(message: Message): void {
    if (message.seq > this.seq || this.timeline.has(message.seq)) this.hold(message);
  }

  /** Says that something of the chat has changed. */
  touch(): void {
    this.version.value += 1;
    this.#listener.changed(this);
  }

  #takeChanged(message: Message): void {
    if (this.timeline.has(message.seq)) this.hold(message);
    else if (this.chat.last_message?.id === message.id) this.#takeLast(message);
  }

  #takeChat(chat: Chat): void {
    const before = this.chat.read_by_all_seq;
    this.chat = chat;
    if (chat.last_message) this.#messages.put(chat.last_message);
    this.#renew(before);
  }

  #takeLast(message: Message): void {
    const last = this.chat.last_message;
    const isNewer =
      !last ||
      message.seq > last.seq ||
      (message.seq === last.seq && (message.change_seq ?? 0) >= (last.change_seq ?? 0));
    if (!isNewer) return;
    this.chat = { ...this.chat, last_message: message, last_seq: Math.max(this.chat.last_seq, message.seq) };
    this.#messages.put(message);
  }

  #advance(): void {
    const run = this.timeline.runAt(this.seq + 1);
    if (!run) return;
    this.seq = run.to;
    this.#takeLast(this.#messages.stored(this.chat.id, this.timeline.key(run.to)!)!);
  }

  /** These are on the server. */
  #need(seq: number, changeSeq = 0): void {
    this.#needed.seq = Math.max(this.#needed.seq, seq);
    this.#needed.change_seq = Math.max(this.#needed.change_seq, changeSeq);
  }

  #moveTo(changeSeq: number): void {
    this.#need(0, changeSeq);
    if (changeSeq === this.change_seq + 1) this.change_seq = changeSeq;
  }

  /** When all members are held, everybody has read what the slowest of them has. */
  #takeReadByAll(): void {
    if (!this.members || this.members.size !== this.chat.member_count) return;
    this.#moveReadByAll(Math.min(...[...this.members.values()].map(({ last_read_seq }) => last_read_seq)));
  }

  #moveReadByAll(seq: number): void {
    const before = this.chat.read_by_all_seq;
    if (seq <= before) return;
    this.chat = { ...this.chat, read_by_all_seq: seq };
    this.#renew(before);
  }

  /** Shows that all messages above `before` are read, as far as they are. */
  #renew(before: number): void {
    const { id, read_by_all_seq, last_seq } = this.chat;
    for (let seq = before + 1; seq <= Math.min(read_by_all_seq, last_seq); seq += 1) {
      const key = this.timeline.key(seq);
      if (key !== undefined) this.#messages.renew(id, key);
    }
  }

  #takeMember(member: Member): void {
    this.members?.set(member.user_id, member);
    const { peer } = this.chat;
    if (member.user_id === this.#userId) this.chat = { ...this.chat, my_role: member.role };
    if (member.user_id === peer?.id)
      this.chat = { ...this.chat, name: member.name, peer: { ...peer, name: member.name } };
  }
}
