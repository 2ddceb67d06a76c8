/** The row that `append_messages` returns for one message (`src/database/functions/append_messages.sql`). */
export interface AppendedRow {
  readonly outcome: 'created' | 'replayed' | 'conflict' | 'not_a_member' | 'blocked' | 'no_such_reply';
  readonly chat_id: number;
  /** Set for a created message. `seq` is also set for a replayed one: the place of the stored message. */
  readonly id: number | null;
  readonly seq: number | null;
  /** The timestamp of a created message, in milliseconds since 1970. */
  readonly at_ms: number | null;
  /** The sender's cursor, and the chat's `last_seq`, before the batch. */
  readonly cursor_before: number;
  readonly seq_before: number;
  /** How long before the batch the chat had its last message, or was created, in milliseconds. */
  readonly idle_ms: number | null;
  /** All members, if they are 300 or fewer. Only the first created message of a chat has them; else null. */
  readonly member_ids: number[] | null;
  /**
   * Set on the first created message of a chat, if a sender of the batch had unread messages there: the newest message
   * before the batch, the members who wrote the unread ones, and for each of these members the `seq` of their newest
   * message.
   */
  readonly last_message_id: number | null;
  readonly author_ids: number[] | null;
  readonly author_last_seqs: number[] | null;
}

/** The counters of a chat after a batch was appended to it. */
export interface ChatState {
  readonly chat_id: number;
  readonly read_by_all_seq: number;
  readonly last_change_seq: number;
  /** The `change_seq` of the last change of the membership: the version of the member list. */
  readonly members_seq: number;
}

/** The result of a batch: a row for each message, in the order of the batch, and the chats that got a message. */
export interface AppendedBatch {
  readonly messages: AppendedRow[];
  readonly chats: ReadonlyMap<number, ChatState>;
}
