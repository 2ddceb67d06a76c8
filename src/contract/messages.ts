/**
 * Messages and read receipts. Types only: clients copy this folder as it is. Ids and counters are integers up to
 * 2^53-1; times are RFC 3339 UTC with milliseconds.
 */

/** A message as clients see it, over REST and on sockets. */
export interface Message {
  id: number;
  chat_id: number;
  sender_id: number;
  /** Null on a tombstone, the message that a deletion leaves. */
  text: string | null;
  timestamp: string;
  /** Whether every other member has read it. */
  is_read: boolean;
  /** Unique in the chat, for ever. */
  client_message_id: string;
  /** Its number in the chat: 1, 2, 3 … without a gap. */
  seq: number;
  /** The chat's change counter at the last edit or the deletion; null for a message that never changed. */
  change_seq: number | null;
  reply_to_id: number | null;
  edited_at: string | null;
  deleted_at: string | null;
}

/** A message to send. Over REST `client_message_id` may be left out. */
export interface NewMessage {
  chat_id: number;
  text: string;
  /** An idempotency key that the client makes: sending the same again returns the stored message. */
  client_message_id: string;
  /** The id of a message in the same chat. */
  reply_to_id?: number;
}

/** A member has read a message, and with it all messages before it. */
export interface ReadReceipt {
  type: 'read_receipt';
  message_id: number;
  chat_id: number;
  reader_id: number;
  /** Whether every member except its sender has now read the message. */
  is_read: boolean;
  /** The `seq` of the message. */
  seq: number;
}

/** A member whose cursor has reached a message. */
export interface Reader {
  user_id: number;
  name: string;
}
