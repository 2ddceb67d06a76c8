import type { Chat, ChatWithMembers, Member } from '../../src/contract/chats.js';
import type { Message } from '../../src/contract/messages.js';
import type { News, SyncCursor, SyncRequest } from '../../src/contract/sync.js';

type ChatNews = News['chats'][number];
type Sync = (request: SyncRequest) => Promise<News>;

/** A client's copy of a chat: the messages `from` … `seq`, as of `change_seq`. Older ones are paged in on demand. */
interface HeldChat {
  chat: Chat;
  from: number;
  seq: number;
  change_seq: number;
  readonly messages: Map<number, Message>;
  /** By user id; null until they are fetched. */
  members: Map<number, Member> | null;
}

/** A client's copy of its chats, kept up to date as docs/realtime.md describes: by events and by `sync`. */
export class Replica {
  readonly chats = new Map<number, HeldChat>();
  /** The events that have come during a call of `sync`; undefined when none is under way. */
  private kept: [event: string, payload: any][] | undefined;
  private catchingUp: Promise<void> = Promise.resolve();

  /** `onGap` is called when something before an event is missing, which `catchUp` brings. */
  constructor(
    private readonly userId: number,
    private readonly onGap: () => void = () => undefined,
  ) {}

  /** Takes an event: at once, or after the answer of the call of `sync` that is under way. */
  apply(event: string, payload: any): void {
    if (this.kept) this.kept.push([event, payload]);
    else this.take(event, payload);
  }

  /** Calls `sync` until there are no more pages. A call names up to `part` chats. One `catchUp` runs at a time. */
  catchUp(sync: Sync, limit?: number, part = 500): Promise<void> {
    const run = async (): Promise<void> => {
      for (let after: number | null = 0; after !== null;) after = await this.takePage(sync, after, limit, part);
    };
    this.catchingUp = this.catchingUp.catch(() => undefined).then(run);
    return this.catchingUp;
  }

  /** Takes what `GET /chats/{id}` returns. False if that is older than what is held: then fetch it again. */
  takeMembers({ id, last_change_seq, members }: ChatWithMembers): boolean {
    const held = this.chats.get(id);
    if (held && last_change_seq < held.change_seq) return false;
    if (held) held.members = new Map(members.map((member) => [member.user_id, member]));
    return true;
  }

  cursors(chatIds: Iterable<number> = this.chats.keys()): Record<string, SyncCursor> {
    const cursor = ({ seq, change_seq, chat }: HeldChat): SyncCursor => ({
      seq,
      change_seq,
      last_read_seq: chat.last_read_seq,
      read_by_all_seq: chat.read_by_all_seq,
    });
    return Object.fromEntries([...chatIds].map((id) => [id, cursor(this.chats.get(id)!)]));
  }

  /** Takes the answer of one call, then the events that came meanwhile. Returns the next `after_chat_id`. */
  private async takePage(sync: Sync, after: number, limit: number | undefined, part: number): Promise<number | null> {
    const above = [...this.chats.keys()].filter((id) => id > after).sort((a, b) => a - b);
    const named = above.slice(0, part);
    // The answer treats chats above the last named one as new. They are for the next call, which names them.
    const last = named.length < above.length ? named.at(-1)! : Infinity;
    this.kept = [];
    try {
      const news = await sync({ cursors: this.cursors(named), after_chat_id: after, limit });
      for (const id of news.removed_chat_ids) this.chats.delete(id);
      for (const chat of news.chats) if (chat.id <= last) this.takeNews(chat);
      const next = Math.min(news.next_chat_id ?? Infinity, last);
      return next === Infinity ? null : next;
    } finally {
      const events = this.kept;
      this.kept = undefined;
      for (const [event, payload] of events) this.take(event, payload);
    }
  }

  private takeNews({ messages, has_more, reset, members, left_user_ids, ...chat }: ChatNews): void {
    const known = reset ? undefined : this.chats.get(chat.id);
    const before = known?.seq ?? 0;
    const held = known ?? this.hold(chat, messages[0]?.seq);
    held.chat = chat;
    if (!members) held.members = null;
    for (const id of left_user_ids) held.members?.delete(id);
    for (const member of members ?? []) held.members?.set(member.user_id, member);
    for (const message of messages) this.store(held, message);
    const upTo = has_more ? messages.findLast(({ seq }) => seq > before)?.seq : chat.last_seq;
    const changedUpTo = has_more ? messages.findLast(({ seq }) => seq <= before)?.change_seq : chat.last_change_seq;
    held.seq = upTo ?? held.seq;
    held.change_seq = changedUpTo ?? held.change_seq;
  }

  private hold(chat: Chat, from = chat.last_seq + 1): HeldChat {
    const { last_seq: seq, last_change_seq: change_seq } = chat;
    const held: HeldChat = { chat, from, seq, change_seq, messages: new Map(), members: null };
    this.chats.set(chat.id, held);
    return held;
  }

  private take(event: string, payload: any): void {
    if (event === 'chat:created') this.hold(payload);
    if (event === 'chat:removed') this.chats.delete(payload.chat_id);
    const held = this.chats.get(payload.chat_id ?? payload.id);
    if (this.isGap(held, event, payload)) this.onGap();
    if (!held) return;
    if (event === 'chat:updated' || event.startsWith('member:')) this.takeChatChange(held, event, payload);
    if (event === 'message:created') this.takeCreated(held, payload);
    if (event === 'message:updated' || event === 'message:deleted') this.takeChanged(held, payload);
    if (event === 'read_receipt') this.moveRead(held, payload.reader_id, payload);
    this.moveReadByAll(held);
  }

  private isGap(held: HeldChat | undefined, event: string, { seq, change_seq }: any): boolean {
    if (event === 'message:created') return !held || seq > held.seq + 1;
    if (!held) return false;
    return change_seq > held.change_seq + 1 || (event.startsWith('message:') && seq > held.seq);
  }

  private takeCreated(held: HeldChat, message: Message): void {
    if (message.seq !== held.seq + 1) return;
    this.store(held, message);
    held.seq = message.seq;
    this.moveRead(held, message.sender_id, message);
  }

  private takeChanged(held: HeldChat, message: Message): void {
    if (message.seq > held.seq) return;
    this.store(held, message);
    this.moveTo(held, message.change_seq!);
  }

  /** An event whose change is below the cursor is older than what is held. */
  private takeChatChange(held: HeldChat, event: string, { change_seq, name, member_count, member }: any): void {
    if (change_seq < held.change_seq) return;
    if (event === 'chat:updated') held.chat.name = name;
    if (event === 'member:added' || event === 'member:removed') held.chat.member_count = member_count;
    if (event === 'member:removed') held.members?.delete(member.user_id);
    if (event === 'member:added' || event === 'member:updated') this.takeMember(held, member);
    this.moveTo(held, change_seq);
  }

  private takeMember({ chat, members }: HeldChat, member: Member): void {
    members?.set(member.user_id, member);
    if (member.user_id === this.userId) chat.my_role = member.role;
    if (member.user_id !== chat.peer?.id) return;
    chat.name = member.name;
    chat.peer = { ...chat.peer, name: member.name };
  }

  private moveTo(held: HeldChat, changeSeq: number): void {
    if (changeSeq === held.change_seq + 1) held.change_seq = changeSeq;
  }

  /** What a message says of its sender, and a receipt of its reader. */
  private moveRead(
    { chat, members }: HeldChat,
    userId: number,
    { seq, is_read }: Pick<Message, 'seq' | 'is_read'>,
  ): void {
    const member = members?.get(userId);
    if (member) member.last_read_seq = Math.max(member.last_read_seq, seq);
    if (userId === this.userId) chat.last_read_seq = Math.max(chat.last_read_seq, seq);
    if (is_read) chat.read_by_all_seq = Math.max(chat.read_by_all_seq, seq);
  }

  private moveReadByAll({ chat, members }: HeldChat): void {
    if (members?.size !== chat.member_count) return;
    const lowest = Math.min(...[...members.values()].map(({ last_read_seq }) => last_read_seq));
    chat.read_by_all_seq = Math.max(chat.read_by_all_seq, lowest);
  }

  private store({ from, messages }: HeldChat, message: Message): void {
    if (message.seq < from) return;
    const own = messages.get(message.seq);
    if (!own || (message.change_seq ?? 0) >= (own.change_seq ?? 0)) messages.set(message.seq, message);
  }
}
