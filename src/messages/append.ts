import type { MessageRow } from '../chats/dto/message.dto.js';

/** A message to append. */
export interface NewMessage {
  readonly chatId: number;
  readonly senderId: number;
  readonly text: string;
  readonly clientMessageId: string;
  readonly replyToId: number | undefined;
}

/** What `append_messages` says of one message; the columns of the message are null unless it is created or replayed. */
export interface Appended extends MessageRow {
  readonly outcome: 'created' | 'replayed' | 'conflict' | 'not_a_member' | 'no_such_reply';
  /** The smallest cursor of the chat at the commit. */
  readonly read_by_all_seq: number;
  /** All members; on the first message created in a chat, else null. */
  readonly member_ids: number[] | null;
  /** The sender's cursor, and the chat's `last_seq`, before the batch. */
  readonly cursor_before: number;
  readonly seq_before: number;
  /** On the first message of a sender who had unread messages: the newest of them, and who wrote them. */
  readonly last_message_id: number | null;
  readonly unread_senders: number[] | null;
}
