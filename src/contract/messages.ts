/** Messages and read receipts. Ids and counters are integers up to 2^53-1; times are RFC 3339 UTC with milliseconds. */

/** A message as clients see it, over REST and on sockets. */
export interface Message {
  id: number;
  chat_id: number;
  sender_id: number;
  /** Null on a tombstone, which is what a deletion leaves. */
  text: string | null;
  timestamp: string;
  /** Whether every other member has read it. */
  is_read: boolean;
  /** Unique in the chat, for ever. */
  client_message_id: string;
  /** 1, 2, 3 … in its chat, without a hole. */
  seq: number;
  /** The chat's change counter when the message was last edited or deleted. */
  change_seq: number | null;
  reply_to_id: number | null;
  edited_at: string | null;
  deleted_at: string | null;
}

/** A message to send. Over REST the key may be left out. */
export interface NewMessage {
  chat_id: number;
  text: string;
  /** Made by the client: sending the same again returns the same message. */
  client_message_id: string;
  /** A message of the same chat. */
  reply_to_id?: number;
}

/** Somebody has read a message, and so all before it. */
export interface ReadReceipt {
  type: 'read_receipt';
  message_id: number;
  chat_id: number;
  reader_id: number;
  /** Whether every member but its sender has now read the message. */
  is_read: boolean;
  /** The `seq` of the message. */
  seq: number;
}

/** Somebody whose cursor has passed a message. */
export interface Reader {
  user_id: number;
  name: string;
}
