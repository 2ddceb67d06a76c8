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
  private needed = { seq: 0, change_seq: 0 };
  /** The new messages that came as events since the last sync began. */
  private heard: Message[] = [];
  /** The changed messages that came while pages of the history are under way. */
  private readonly underWay = new Set<Message[]>();

  constructor(
    public chat: Chat,
    public seq: number,
    public change_seq: number,
    private readonly userId: number,
    private readonly messages: MessageMap,
    private readonly listener: ChatListener,
  ) {
    this.takeLast(chat.last_message);
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
    return this.seq < this.needed.seq || this.change_seq < this.needed.change_seq;
  }

  /** A sync that is sent now brings all that was heard of before. */
  beginSync(): void {
    this.needed = { seq: 0, change_seq: 0 };
    this.heard = [];
  }

  /** Drops everything, and starts at what this says. */
  restart(chat: Chat, seq: number): void {
    this.messages.drop(chat.id, this.timeline.all());
    this.timeline = new Timeline();
    this.members = null;
    this.epoch += 1;
    Object.assign(this, { chat, seq, change_seq: chat.last_change_seq });
    this.takeLast(chat.last_message);
  }

  created(message: Message): void {
    this.heard.push(message);
    this.needed.seq = Math.max(this.needed.seq, message.seq);
    if (message.seq > this.seq || this.timeline.has(message.seq)) this.hold(message);
    this.note(message.sender_id, message.seq);
    this.advance();
    this.touch();
  }

  /** A message that the server has stored, as an ack says. */
  acked(message: Message): void {
    if (message.change_seq !== null) this.updated(message);
    if (message.seq > this.seq || this.timeline.has(message.seq)) this.hold(message);
    if (message.sender_id === this.userId) this.note(message.sender_id, message.seq);
    this.advance();
    this.touch();
  }

  updated(message: Message): void {
    for (const changed of this.underWay) changed.push(message);
    this.takeChanged(message);
    // What is above the cursor comes with its changes when the cursor gets there.
    if (message.seq <= this.seq) this.moveTo(message.change_seq!);
    else this.need(message.change_seq!);
    this.touch();
  }

  /** A change of the chat or of its members. One below the cursor is older than what is held. */
  takeChange(event: string, change: ChatChange): void {
    if (change.change_seq < this.change_seq) return;
    if ('name' in change) this.chat = { ...this.chat, name: change.name, creator_id: change.creator_id };
    if ('member_count' in change) this.chat = { ...this.chat, member_count: change.member_count };
    if (change.member && event === 'member:removed') this.members?.delete(change.member.user_id);
    else if (change.member) this.takeMember(change.member);
    this.moveTo(change.change_seq);
    this.takeReadByAll();
    this.touch();
  }

  read({ reader_id, seq, is_read }: ReadReceipt): void {
    this.note(reader_id, seq);
    if (is_read) this.moveReadByAll(seq);
    this.touch();
  }

  /** Takes what a sync says; `isFresh` when nothing of the chat is held, or what is held is to be dropped. */
  takeNews({ messages, has_more, reset: _, members, left_user_ids, ...chat }: ChatNews, isFresh: boolean): void {
    const before = isFresh ? 0 : this.seq;
    const upTo = has_more ? (messages.findLast(({ seq }) => seq > before)?.seq ?? before) : chat.last_seq;
    if (isFresh) this.restart(chat, upTo);
    // Events may have come before the answer, and tell of later changes.
    const isLate = chat.last_change_seq < this.change_seq;
    const { last_read_seq, read_by_all_seq, last_seq } = this.chat;
    const readByAll = Math.max(chat.read_by_all_seq, read_by_all_seq);
    this.chat = {
      ...(isLate ? this.chat : chat),
      last_seq: Math.max(chat.last_seq, last_seq),
      last_message: this.chat.last_message,
      last_read_seq: Math.max(chat.last_read_seq, last_read_seq),
      read_by_all_seq,
    };
    this.takeLast(chat.last_message);
    if (!isLate) this.takeMembersOfNews(members, left_user_ids);
    for (const message of messages)
      if (message.seq > before) this.hold(message);
      else this.takeChanged(message);
    for (const changed of this.underWay) changed.push(...messages);
    this.seq = Math.max(this.seq, upTo);
    const changedUpTo = has_more ? messages.findLast(({ seq }) => seq <= before)?.change_seq : chat.last_change_seq;
    this.change_seq = Math.max(this.change_seq, changedUpTo ?? 0);
    if (isFresh) for (const message of this.heard) if (message.seq > this.seq) this.hold(message);
    this.advance();
    this.moveReadByAll(readByAll);
    this.touch();
  }

  /** Takes what `GET /chats/{id}` has. False when that is older than what is held: then ask again. */
  takeMembers({ last_change_seq }: Pick<ChatWithMembers, 'last_change_seq'>, members: readonly Member[]): boolean {
    if (last_change_seq < this.change_seq) return false;
    this.members = new Map(members.map((member) => [member.user_id, member]));
    this.takeReadByAll();
    this.touch();
    return true;
  }

  /** Takes a page of the history. Changes that came while it was under way may be newer than what it has. */
  async takePage(fetch: () => Promise<Message[]>): Promise<void> {
    const { epoch } = this;
    const changed: Message[] = [];
    this.underWay.add(changed);
    try {
      const page = await fetch();
      if (epoch !== this.epoch) return;
      for (const message of page) this.hold(message);
      for (const message of changed) this.takeChanged(message);
      this.advance();
      this.touch();
    } finally {
      this.underWay.delete(changed);
    }
  }

  /** Takes a message as it was stored. */
  hold(message: Message): void {
    this.timeline.add(message.seq, message.client_message_id);
    if (this.messages.put(message)) this.listener.held(message);
    this.takeLast(message);
  }

  /** Says that something of the chat has changed. */
  touch(): void {
    this.version.value += 1;
    this.listener.changed(this);
  }

  private takeChanged(message: Message): void {
    if (this.timeline.has(message.seq)) this.hold(message);
    else if (this.chat.last_message?.id === message.id) this.takeLast(message);
  }

  private takeLast(message: Message | null): void {
    if (!message) return;
    const last = this.chat.last_message;
    const isNewer =
      !last ||
      message.seq > last.seq ||
      (message.seq === last.seq && (message.change_seq ?? 0) >= (last.change_seq ?? 0));
    if (isNewer)
      this.chat = { ...this.chat, last_message: message, last_seq: Math.max(this.chat.last_seq, message.seq) };
    if (isNewer) this.messages.put(message);
  }

  private advance(): void {
    this.seq = this.timeline.runAt(this.seq + 1)?.to ?? this.seq;
  }

  private need(changeSeq: number): void {
    this.needed.change_seq = Math.max(this.needed.change_seq, changeSeq);
  }

  private moveTo(changeSeq: number): void {
    this.need(changeSeq);
    if (changeSeq === this.change_seq + 1) this.change_seq = changeSeq;
  }

  /** A member has read up to there. */
  private note(userId: number, seq: number): void {
    if (userId === this.userId && seq > this.chat.last_read_seq) this.chat = { ...this.chat, last_read_seq: seq };
    // What one writes to nobody else is read at once.
    if (userId === this.userId && this.chat.member_count === 1) this.moveReadByAll(seq);
    const member = this.members?.get(userId);
    if (!member || member.last_read_seq >= seq) return;
    this.members!.set(userId, { ...member, last_read_seq: seq });
    this.takeReadByAll();
  }

  /** When all members are held, everybody has read what the slowest of them has. */
  private takeReadByAll(): void {
    if (this.members?.size !== this.chat.member_count) return;
    this.moveReadByAll(Math.min(...[...this.members.values()].map(({ last_read_seq }) => last_read_seq)));
  }

  private moveReadByAll(seq: number): void {
    const before = this.chat.read_by_all_seq;
    if (seq <= before) return;
    this.chat = { ...this.chat, read_by_all_seq: seq };
    for (let one = before + 1; one <= Math.min(seq, this.chat.last_seq); one += 1) {
      const key = this.timeline.key(one);
      if (key !== undefined) this.messages.renew(this.chat.id, key);
    }
  }

  private takeMembersOfNews(members: readonly Member[] | null, left: readonly number[]): void {
    if (!members) this.members = null;
    for (const id of left) this.members?.delete(id);
    for (const member of members ?? []) this.members?.set(member.user_id, member);
  }

  private takeMember(member: Member): void {
    this.members?.set(member.user_id, member);
    const { peer } = this.chat;
    if (member.user_id === this.userId) this.chat = { ...this.chat, my_role: member.role };
    if (member.user_id === peer?.id)
      this.chat = { ...this.chat, name: member.name, peer: { ...peer, name: member.name } };
  }
}
