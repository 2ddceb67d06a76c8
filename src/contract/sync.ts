/** Sync: from what a client holds to what the server has. The same over REST and on sockets. */
import type { Chat } from './chats.js';
import type { Message } from './messages.js';

/** What a client holds of a chat. A read mark that is given counts as news when it has moved. */
export interface SyncCursor {
  seq: number;
  change_seq: number;
  last_read_seq?: number;
  read_by_all_seq?: number;
}

export interface SyncRequest {
  /** By the id of the chat. */
  cursors: Record<string, SyncCursor>;
  /** `next_chat_id` of the answer before. */
  after_chat_id?: number;
  /** Messages, at the most: 1–500, else 200. */
  limit?: number;
}

/** A chat with what is new in it. */
export interface ChatNews extends Chat {
  /** Those with a higher `seq`, in order; then older ones that have changed, by `change_seq`. */
  messages: Message[];
  /** There is more: call again with the cursors moved on. */
  has_more: boolean;
  /** Drop what is held of this chat. */
  reset: boolean;
}

export interface News {
  chats: ChatNews[];
  /** Chats that the cursors name and the caller is no longer in. */
  removed_chat_ids: number[];
  /** The `after_chat_id` of the next call; null when this was the last. */
  next_chat_id: number | null;
}
