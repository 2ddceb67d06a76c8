/** What `append_messages` says of one message. */
export interface AppendedRow {
  readonly outcome: 'created' | 'replayed' | 'conflict' | 'not_a_member' | 'blocked' | 'no_such_reply';
  readonly chat_id: number;
  /** Of a created message; `seq` also of a replayed one, whose original it is. */
  readonly id: number | null;
  readonly seq: number | null;
  /** Milliseconds since 1970. */
  readonly at_ms: number | null;
  /** The sender's cursor, and the chat's `last_seq`, before the batch. */
  readonly cursor_before: number;
  readonly seq_before: number;
  /** How long the chat had been without a new message before the batch, in milliseconds. */
  readonly idle_ms: number | null;
  /** All members, on the first message created in a chat if they are few; else null. */
  readonly member_ids: number[] | null;
  /** With it, if a sender of the batch had unread messages: the newest of them, and whose they may be, by their newest one. */
  readonly last_message_id: number | null;
  readonly author_ids: number[] | null;
  readonly author_last_seqs: number[] | null;
}

/** A chat after a batch was appended to it. */
export interface ChatState {
  readonly chat_id: number;
  readonly read_by_all_seq: number;
  readonly last_change_seq: number;
  /** The `change_seq` of the last change of who is a member. */
  readonly members_seq: number;
}

/** What became of a batch: a row for each message, in the order of the batch, and each chat written to. */
export interface AppendedBatch {
  readonly messages: AppendedRow[];
  readonly chats: ReadonlyMap<number, ChatState>;
}
