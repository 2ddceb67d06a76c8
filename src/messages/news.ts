import type { ChatDto } from '../chats/dto/chat.dto.js';
import { MessageDto, type MessageRow } from '../chats/dto/message.dto.js';
import type { ChatNewsDto, NewsDto, SyncCursorDto } from './dto/sync.dto.js';

/** Messages that come with a chat the client doesn't hold, or is to drop. */
const NEWEST = 20;
/** Further behind, a client drops what it holds instead of fetching all that lies between. */
const MAX_BEHIND = 1_000;

/** What a client lacks of a chat: the messages `from` … `to`, and of those up to `seen` what changed after `since`. */
export interface Gap {
  readonly chat: ChatDto;
  readonly from: number;
  readonly to: number;
  /** Both null when the client starts afresh with this chat. */
  readonly seen: number | null;
  readonly since: number | null;
  readonly reset: boolean;
}

/** Arithmetic, as `seq` has no holes. `limit` is the number of messages in the whole answer. */
export function gapOf(chat: ChatDto, cursor: SyncCursorDto | undefined, limit: number): Gap {
  const to = chat.last_seq;
  // Ahead of the server is only a client that holds something else than this log.
  const reset = cursor !== undefined && (to - cursor.seq > MAX_BEHIND || cursor.seq > to);
  if (cursor && !reset) return { chat, from: cursor.seq + 1, to, seen: cursor.seq, since: cursor.change_seq, reset };
  return { chat, from: Math.max(1, to - Math.min(NEWEST, limit) + 1), to, seen: null, since: null, reset };
}

/**
 * The answer: the chats in their order, as far as `limit` messages go. `rows` are what was read to fill the gaps, one
 * more than `limit` if there is one: the chat of that one is where the answer ends.
 */
export function newsOf(
  gaps: readonly Gap[],
  rows: readonly MessageRow[],
  limit: number,
): Pick<NewsDto, 'chats' | 'next_chat_id'> {
  const chats: ChatNewsDto[] = [];
  const stoppedAt = rows[limit]?.chat_id;
  let position = 0;
  for (const { chat, from, to, reset } of gaps) {
    const messages: MessageDto[] = [];
    let missing = to - from + 1;
    for (; position < limit && rows[position]?.chat_id === chat.id; position += 1) {
      const row = rows[position]!;
      if (row.seq >= from) missing -= 1;
      messages.push(MessageDto.of(row, chat.read_by_all_seq));
    }
    const hasMore = missing > 0 || chat.id === stoppedAt;
    if (!hasMore || messages.length > 0) chats.push({ ...chat, messages, has_more: hasMore, reset });
    // The next answer goes on with this chat.
    if (hasMore) return { chats, next_chat_id: chat.id - 1 };
  }
  return { chats, next_chat_id: null };
}
