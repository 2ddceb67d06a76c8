/**
 * The socket protocol, typed: what a client app imports (`io<ServerToClientEvents, ClientToServerEvents>`), and what the
 * gateway and the publisher are compiled against. Only types, and nothing of the server behind them but the error codes.
 * `docs/realtime.md` tells the rest.
 */
import type { ErrorCode } from '../common/errors/error-codes.js';

/** Ids and counters are integers up to 2^53-1; times are RFC 3339 UTC with milliseconds. */
export interface Message {
  id: number;
  chat_id: number;
  sender_id: number;
  /** Null on a tombstone. */
  text: string | null;
  timestamp: string;
  /** Whether every other member has read it. */
  is_read: boolean;
  client_message_id: string;
  /** 1, 2, 3 … in its chat, without a hole. */
  seq: number;
  change_seq: number | null;
  reply_to_id: number | null;
  edited_at: string | null;
  deleted_at: string | null;
}

export type Role = 'owner' | 'admin' | 'member';

/** A chat as one member sees it. */
export interface Chat {
  id: number;
  type: 'private' | 'group';
  name: string;
  creator_id: number;
  created_at: string;
  member_count: number;
  my_role: Role;
  last_seq: number;
  last_change_seq: number;
  last_read_seq: number;
  read_by_all_seq: number;
  unread_count: number;
  last_message: Message | null;
  activity_cursor: string;
}

/** What all members see alike of a group. */
export type ChatSummary = Pick<Chat, 'id' | 'name' | 'creator_id' | 'member_count'>;

export interface Member {
  user_id: number;
  name: string;
  role: Role;
  joined_at: string;
  last_read_seq: number;
}

export interface ReadReceipt {
  type: 'read_receipt';
  message_id: number;
  chat_id: number;
  reader_id: number;
  /** Whether every member but its sender has now read the message. */
  is_read: boolean;
  seq: number;
}

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
  after_chat_id?: number;
  /** Messages, at the most: 1–500, else 200. */
  limit?: number;
}

export interface News {
  chats: (Chat & {
    /** Those with a higher `seq`, in order; then older ones that have changed, by `change_seq`. */
    messages: Message[];
    has_more: boolean;
    /** Drop what is held of this chat. */
    reset: boolean;
  })[];
  removed_chat_ids: number[];
  next_chat_id: number | null;
}

export interface CommandError {
  code: ErrorCode;
  message: string;
  /** Whether the same command, with the same `client_message_id`, may be sent again. */
  retryable: boolean;
  /** Of `rate_limited`: when it may be sent again, in milliseconds from now. */
  retry_after_ms?: number;
  errors?: readonly { readonly field: string; readonly message: string }[];
}

/** Every command is answered with one of these. */
export type Ack<Data, Beside = unknown> = ({ ok: true; data: Data } & Beside) | { ok: false; error: CommandError };

type Command<Payload, Data, Beside = unknown> = (payload: Payload, ack: (answer: Ack<Data, Beside>) => void) => void;

export interface ClientToServerEvents {
  'message:send': Command<
    { chat_id: number; text: string; client_message_id: string; reply_to_id?: number },
    Message,
    { replayed: boolean }
  >;
  'message:edit': Command<{ message_id: number; text: string }, Message>;
  'message:delete': Command<{ message_id: number }, Message>;
  'message:read': Command<{ message_id: number }, ReadReceipt>;
  typing: Command<{ chat_id: number; is_typing: boolean }, Record<string, never>>;
  sync: Command<SyncRequest, News>;
  'auth:refresh': Command<{ token: string }, { expires_in: number }>;
}

export interface ServerToClientEvents {
  'message:created': (message: Message) => void;
  'message:updated': (message: Message) => void;
  /** A tombstone. */
  'message:deleted': (message: Message) => void;
  read_receipt: (receipt: ReadReceipt) => void;
  'chat:created': (chat: Chat) => void;
  'chat:updated': (chat: ChatSummary) => void;
  'chat:removed': (chat: { chat_id: number }) => void;
  'member:added': (change: { chat_id: number; member: Member }) => void;
  'member:removed': (change: { chat_id: number; member: Member }) => void;
  'member:updated': (change: { chat_id: number; member: Member }) => void;
  typing: (typing: { chat_id: number; user_id: number; is_typing: boolean }) => void;
  'auth:expired': (nothing: Record<string, never>) => void;
  /** The session has ended; the socket is cut. */
  'session:revoked': (nothing: Record<string, never>) => void;
  /** The server stops. It closes the connection in a moment; then wait so long before you connect again. */
  'server:draining': (delay: { reconnect_in_ms: number }) => void;
}

/** What the handler of a command returns: the ack without its `ok`. */
export type Answer<Event extends keyof ClientToServerEvents> =
  Extract<Parameters<Parameters<ClientToServerEvents[Event]>[1]>[0], { ok: true }> extends infer Positive
    ? Omit<Positive, 'ok'>
    : never;
