import type { Chat } from '../../src/contract/chats.js';
import type { Message } from '../../src/contract/messages.js';
import type { News, SyncCursor, SyncRequest } from '../../src/contract/sync.js';

type ChatNews = News['chats'][number];

/** What a client holds of a chat: everything `from` … `seq`, as of `change_seq`; what is older it pages back on demand. */
interface Held {
  chat: Chat;
  from: number;
  seq: number;
  change_seq: number;
  readonly messages: Map<number, Message>;
}

/** A client's local copy, kept as docs/realtime.md says: events as they come, and `sync` for what did not come. */
export class Replica {
  readonly chats = new Map<number, Held>();

  constructor(private readonly userId: number) {}

  /** Takes in an event; what has a gap before it is left to the next sync. */
  hear(event: string, payload: any): void {
    if (event === 'chat:created') this.start(payload);
    if (event === 'chat:removed') this.chats.delete(payload.chat_id);
    const held = this.chats.get(payload.chat_id ?? payload.id);
    if (!held) return;
    if (event === 'chat:updated') Object.assign(held.chat, payload);
    if (event === 'member:updated' && payload.member.user_id === this.userId) held.chat.my_role = payload.member.role;
    if (event === 'read_receipt' && payload.reader_id === this.userId) this.read(held, payload.seq);
    if (event === 'message:created') this.created(held, payload);
    if (event === 'message:updated' || event === 'message:deleted') this.changed(held, payload);
  }

  /** Calls `sync` until nothing is left. */
  async catchUp(sync: (request: SyncRequest) => Promise<News>, limit?: number): Promise<void> {
    for (let after: number | null = 0; after !== null;) {
      const news: News = await sync({ cursors: this.cursors(), after_chat_id: after, limit });
      for (const id of news.removed_chat_ids) this.chats.delete(id);
      for (const chat of news.chats) this.take(chat);
      after = news.next_chat_id;
    }
  }

  cursors(): Record<string, SyncCursor> {
    const cursor = ({ seq, change_seq, chat }: Held): SyncCursor => ({
      seq,
      change_seq,
      last_read_seq: chat.last_read_seq,
      read_by_all_seq: chat.read_by_all_seq,
    });
    return Object.fromEntries([...this.chats].map(([id, held]) => [id, cursor(held)]));
  }

  private take({ messages, has_more, reset, ...chat }: ChatNews): void {
    const known = this.chats.get(chat.id);
    const held = known && !reset ? known : this.start(chat);
    const before = held === known ? held.seq : 0;
    held.chat = { ...chat, last_read_seq: Math.max(chat.last_read_seq, held.chat.last_read_seq) };
    if (before === 0) held.from = Math.min(held.from, messages[0]?.seq ?? Infinity);
    for (const message of messages) this.keep(held, message);
    const upTo = has_more ? messages.findLast(({ seq }) => seq > before)?.seq : chat.last_seq;
    const changedUpTo = has_more ? messages.findLast(({ seq }) => seq <= before)?.change_seq : chat.last_change_seq;
    // Events may have come while the answer was under way.
    held.seq = Math.max(held.seq, upTo ?? 0);
    held.change_seq = Math.max(held.change_seq, changedUpTo ?? 0);
  }

  private start(chat: Chat): Held {
    const { last_seq: seq, last_change_seq: change_seq } = chat;
    const held: Held = { chat, from: seq + 1, seq, change_seq, messages: new Map() };
    this.chats.set(chat.id, held);
    return held;
  }

  private created(held: Held, message: Message): void {
    if (message.seq !== held.seq + 1) return;
    this.keep(held, message);
    held.seq = message.seq;
    if (message.sender_id === this.userId) this.read(held, message.seq);
  }

  private changed(held: Held, message: Message): void {
    if (message.seq > held.seq) return;
    this.keep(held, message);
    if (message.change_seq === held.change_seq + 1) held.change_seq += 1;
  }

  private read({ chat }: Held, seq: number): void {
    chat.last_read_seq = Math.max(chat.last_read_seq, seq);
  }

  private keep({ from, messages }: Held, message: Message): void {
    if (message.seq < from) return;
    const own = messages.get(message.seq);
    if (!own || (message.change_seq ?? 0) >= (own.change_seq ?? 0)) messages.set(message.seq, message);
  }
}
