import type { ChatDto } from '../chats/dto/chat.dto.js';
import { MessageDto, type MessageRow } from '../chats/dto/message.dto.js';
import type { ChatNewsDto, NewsDto, SyncCursorDto } from './dto/sync.dto.js';

/** How many messages come with a chat that the client doesn't hold, or has to drop. */
const NEWEST = 20;
/** A client that is more than this number of messages behind in a chat drops what it holds of the chat. */
const MAX_BEHIND = 1_000;

/**
 * What a client lacks of a chat: the messages `from` … `to` by `seq`, and those up to `seen` that changed after the
 * `change_seq` `since`.
 */
export interface Gap {
  readonly chat: ChatDto;
  readonly from: number;
  readonly to: number;
  /** Both are null if the client holds nothing of the chat, or has to drop it. */
  readonly seen: number | null;
  readonly since: number | null;
  readonly reset: boolean;
}

/** A chat of the answer with its messages, and the `since` of its gap. */
export type MessageNews = Omit<ChatNewsDto, 'members' | 'left_user_ids'> & Pick<Gap, 'since'>;

/**
 * The gap between the cursor of a client and a chat. It is arithmetic, because `seq` has no holes. `limit` is the most
 * messages in the whole answer. `SyncService` calls it for each changed chat.
 */
export function gapOf(chat: ChatDto, cursor: SyncCursorDto | undefined, limit: number): Gap {
  const to = chat.last_seq;
  // A cursor ahead of the server does not come from this log, so the client has to drop what it holds.
  const isAhead = cursor !== undefined && (cursor.seq > to || cursor.change_seq > chat.last_change_seq);
  const reset = cursor !== undefined && (to - cursor.seq > MAX_BEHIND || isAhead);
  if (cursor && !reset) return { chat, from: cursor.seq + 1, to, seen: cursor.seq, since: cursor.change_seq, reset };
  return { chat, from: Math.max(1, to - Math.min(NEWEST, limit) + 1), to, seen: null, since: null, reset };
}

/**
 * The answer to a sync: the chats of the gaps, in their order, up to `limit` messages. `rows` are the messages that
 * fill the gaps, read with a limit of `limit` + 1. If there is one more than `limit`, the answer ends with the chat of
 * that message.
 */
export function newsOf(
  gaps: readonly Gap[],
  rows: readonly MessageRow[],
  limit: number,
): Pick<NewsDto, 'next_chat_id'> & { chats: MessageNews[] } {
  const chats: MessageNews[] = [];
  const stoppedAt = rows[limit]?.chat_id;
  let position = 0;
  for (const { chat, from, to, since, reset } of gaps) {
    const messages: MessageDto[] = [];
    let missing = to - from + 1;
    for (; position < limit && rows[position]?.chat_id === chat.id; position += 1) {
      const row = rows[position]!;
      if (row.seq >= from) missing -= 1;
      messages.push(MessageDto.of(row, chat.read_by_all_seq));
    }
    const hasMore = missing > 0 || chat.id === stoppedAt;
    if (!hasMore || messages.length > 0) chats.push({ ...chat, since, messages, has_more: hasMore, reset });
    // The next call continues with this chat.
    if (hasMore) return { chats, next_chat_id: chat.id - 1 };
  }
  return { chats, next_chat_id: null };
}
