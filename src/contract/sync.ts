/** Sync brings a client from what it has to what the server has. The same over REST and on sockets. Types only. */
import type { Chat, Member } from './chats.js';
import type { Message } from './messages.js';

/**
 * What a client has of a chat. `last_read_seq` and `read_by_all_seq` are optional: when one is given and differs from
 * the server's, the chat counts as news.
 */
export interface SyncCursor {
  seq: number;
  change_seq: number;
  last_read_seq?: number;
  read_by_all_seq?: number;
}

/** A request for a sync: the body over REST, the payload of the command on sockets. A first sync has `cursors: {}`. */
export interface SyncRequest {
  /** The keys are ids of chats. */
  cursors: Record<string, SyncCursor>;
  /** The `next_chat_id` of the answer before. */
  after_chat_id?: number;
  /** Messages in the answer, at the most: 1–500, by default 200. */
  limit?: number;
}

/** A chat with what is new in it. */
export interface ChatNews extends Chat {
  /** First the messages with a higher `seq`, in order; then older messages that have changed, by `change_seq`. */
  messages: Message[];
  /**
   * The members who joined, or got another role or name, since the `change_seq` of the cursor. Null for a chat without a
   * cursor, with `reset`, or with too many of them: drop the members you hold, and get them when you show them.
   */
  members: Member[] | null;
  /** Who has left since the `change_seq` of the cursor; empty when `members` is null. */
  left_user_ids: number[];
  /** The chat has more news: call again with advanced cursors. */
  has_more: boolean;
  /** The client must drop what it has of this chat. */
  reset: boolean;
}

/** The answer to a sync. */
export interface News {
  chats: ChatNews[];
  /** Chats that have a cursor in the request and that the caller isn't in. */
  removed_chat_ids: number[];
  /** The `after_chat_id` of the next call; null when this was the last. */
  next_chat_id: number | null;
}
