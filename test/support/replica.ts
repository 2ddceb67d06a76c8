import type { Chat, ChatWithMembers, Member } from '../../src/contract/chats.js';
import type { Message } from '../../src/contract/messages.js';
import type { News, SyncCursor, SyncRequest } from '../../src/contract/sync.js';

type ChatNews = News['chats'][number];

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

  constructor(private readonly userId: number) {}

  /** Applies an event. What an event after a gap can't say, the next sync does: see `isGap`. */
  apply(event: string, payload: any): void {
    if (event === 'chat:created') this.startChat(payload);
    if (event === 'chat:removed') this.chats.delete(payload.chat_id);
    const held = this.chats.get(payload.chat_id ?? payload.id);
    if (!held) return;
    if (event === 'chat:updated' || event.startsWith('member:')) this.applyChatChange(held, event, payload);
    if (event === 'read_receipt' && payload.reader_id === this.userId) this.applyRead(held, payload.seq);
    if (event === 'message:created') this.applyCreated(held, payload);
    if (event === 'message:updated' || event === 'message:deleted') this.applyChange(held, payload);
  }

  /** Whether something before this event is missing. Ask before `apply`; it may still be under way for 500 ms. */
  isGap(event: string, { chat_id, id, seq, change_seq }: any): boolean {
    const held = this.chats.get(chat_id ?? id);
    if (!held) return event === 'message:created';
    return event === 'message:created' ? seq > held.seq + 1 : change_seq > held.change_seq + 1;
  }

  /** Calls `sync` until there are no more pages. */
  async catchUp(sync: (request: SyncRequest) => Promise<News>, limit?: number): Promise<void> {
    for (let after: number | null = 0; after !== null;) {
      const news: News = await sync({ cursors: this.cursors(), after_chat_id: after, limit });
      for (const id of news.removed_chat_ids) this.chats.delete(id);
      for (const chat of news.chats) this.applyNews(chat);
      after = news.next_chat_id;
    }
  }

  /** Takes what `GET /chats/{id}` returns. False if that is older than what is held: then fetch it again. */
  takeMembers({ id, last_change_seq, members }: ChatWithMembers): boolean {
    const held = this.chats.get(id);
    if (held && last_change_seq < held.change_seq) return false;
    if (held) held.members = new Map(members.map((member) => [member.user_id, member]));
    return true;
  }

  cursors(): Record<string, SyncCursor> {
    const cursor = ({ seq, change_seq, chat }: HeldChat): SyncCursor => ({
      seq,
      change_seq,
      last_read_seq: chat.last_read_seq,
      read_by_all_seq: chat.read_by_all_seq,
    });
    return Object.fromEntries([...this.chats].map(([id, held]) => [id, cursor(held)]));
  }

  private applyNews({ messages, has_more, reset, members, left_user_ids, ...chat }: ChatNews): void {
    const known = this.chats.get(chat.id);
    const held = known && !reset ? known : this.startChat(chat);
    const before = held === known ? held.seq : 0;
    // Events may have arrived before the answer, and tell of later changes.
    const isLate = chat.last_change_seq < held.change_seq;
    held.chat = {
      ...(isLate ? held.chat : chat),
      last_read_seq: Math.max(chat.last_read_seq, held.chat.last_read_seq),
      read_by_all_seq: Math.max(chat.read_by_all_seq, held.chat.read_by_all_seq),
    };
    if (!isLate && !members) held.members = null;
    for (const id of isLate ? [] : left_user_ids) held.members?.delete(id);
    for (const member of (!isLate && members) || []) held.members?.set(member.user_id, member);
    if (before === 0) held.from = Math.min(held.from, messages[0]?.seq ?? Infinity);
    for (const message of messages) this.store(held, message);
    const upTo = has_more ? messages.findLast(({ seq }) => seq > before)?.seq : chat.last_seq;
    const changedUpTo = has_more ? messages.findLast(({ seq }) => seq <= before)?.change_seq : chat.last_change_seq;
    held.seq = Math.max(held.seq, upTo ?? 0);
    held.change_seq = Math.max(held.change_seq, changedUpTo ?? 0);
  }

  private startChat(chat: Chat): HeldChat {
    const { last_seq: seq, last_change_seq: change_seq } = chat;
    const held: HeldChat = { chat, from: seq + 1, seq, change_seq, messages: new Map(), members: null };
    this.chats.set(chat.id, held);
    return held;
  }

  private applyCreated(held: HeldChat, message: Message): void {
    if (message.seq !== held.seq + 1) return;
    this.store(held, message);
    held.seq = message.seq;
    if (message.sender_id === this.userId) this.applyRead(held, message.seq);
  }

  private applyChange(held: HeldChat, message: Message): void {
    if (message.seq > held.seq) return;
    this.store(held, message);
    this.moveTo(held, message.change_seq!);
  }

  /** An event whose change is below the cursor is older than what is held. */
  private applyChatChange(held: HeldChat, event: string, { change_seq, name, member_count, member }: any): void {
    if (change_seq < held.change_seq) return;
    if (event === 'chat:updated') held.chat.name = name;
    if (event === 'member:added' || event === 'member:removed') held.chat.member_count = member_count;
    if (event === 'member:removed') held.members?.delete(member.user_id);
    if (event === 'member:added' || event === 'member:updated') this.applyMember(held, member);
    this.moveTo(held, change_seq);
  }

  private applyMember({ chat, members }: HeldChat, member: Member): void {
    members?.set(member.user_id, member);
    if (member.user_id === this.userId) chat.my_role = member.role;
    if (member.user_id !== chat.peer?.id) return;
    chat.name = member.name;
    chat.peer = { ...chat.peer, name: member.name };
  }

  private moveTo(held: HeldChat, changeSeq: number): void {
    if (changeSeq === held.change_seq + 1) held.change_seq = changeSeq;
  }

  private applyRead({ chat }: HeldChat, seq: number): void {
    chat.last_read_seq = Math.max(chat.last_read_seq, seq);
  }

  private store({ from, messages }: HeldChat, message: Message): void {
    if (message.seq < from) return;
    const own = messages.get(message.seq);
    if (!own || (message.change_seq ?? 0) >= (own.change_seq ?? 0)) messages.set(message.seq, message);
  }
}
