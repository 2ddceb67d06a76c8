/** A message to append. */
export interface NewMessage {
  readonly chatId: number;
  readonly senderId: number;
  readonly text: string;
  readonly clientMessageId: string;
  readonly replyToId: number | undefined;
}

/** What `append_messages` says of one message. */
export interface Appended {
  readonly outcome: 'created' | 'replayed' | 'conflict' | 'not_a_member' | 'no_such_reply';
  readonly chat_id: number;
  /** Of a created message; `seq` also of a replayed one, whose original it is. */
  readonly id: number | null;
  readonly seq: number | null;
  /** Milliseconds since 1970. */
  readonly at_ms: number | null;
  /** The sender's cursor, and the chat's `last_seq`, before the batch. */
  readonly cursor_before: number;
  readonly seq_before: number;
  /** All members; on the first message created in a chat, else null. */
  readonly member_ids: number[] | null;
  /** With it, if a sender of the batch had unread messages: the newest of them, and whose they may be, by their newest one. */
  readonly last_message_id: number | null;
  readonly author_ids: number[] | null;
  readonly authored_seqs: number[] | null;
}

/** What became of a batch: a row for each message, in the order of the batch, and the new read mark of each chat written to. */
export interface AppendedBatch {
  readonly messages: Appended[];
  readonly readByAll: ReadonlyMap<number, number>;
}
