/**
 * The types of the socket protocol. A client app imports them (`io<ServerToClientEvents, ClientToServerEvents>`), and
 * the gateway and the publishers are compiled against them. docs/realtime.md describes the protocol.
 */
import type { Chat, ChatSummary, MemberChange, MembershipChange } from './chats.js';
import type { CommandError } from './errors.js';
import type { Message, NewMessage, ReadReceipt } from './messages.js';
import type { News, SyncRequest } from './sync.js';

/** The answer to a command: its data, or an error. */
export type Ack<Data, Beside = unknown> = ({ ok: true; data: Data } & Beside) | { ok: false; error: CommandError };

type Command<Payload, Data, Beside = unknown> = (payload: Payload, ack: (answer: Ack<Data, Beside>) => void) => void;

type Empty = Record<string, never>;

/** Commands: what a client sends. */
export interface ClientToServerEvents {
  'message:send': Command<NewMessage, Message, { replayed: boolean }>;
  'message:edit': Command<{ message_id: number; text: string }, Message>;
  'message:delete': Command<{ message_id: number }, Message>;
  'message:read': Command<{ message_id: number }, ReadReceipt>;
  typing: Command<{ chat_id: number; is_typing: boolean }, Empty>;
  sync: Command<SyncRequest, News>;
  'auth:refresh': Command<{ token: string }, { expires_in: number }>;
}

/** Events: what the server publishes. */
export interface ServerToClientEvents {
  'message:created': (message: Message) => void;
  'message:updated': (message: Message) => void;
  /** The message as a tombstone. */
  'message:deleted': (message: Message) => void;
  read_receipt: (receipt: ReadReceipt) => void;
  'chat:created': (chat: Chat) => void;
  'chat:updated': (chat: ChatSummary) => void;
  'chat:removed': (chat: { chat_id: number }) => void;
  'member:added': (change: MembershipChange) => void;
  'member:removed': (change: MembershipChange) => void;
  'member:updated': (change: MemberChange) => void;
  typing: (typing: { chat_id: number; user_id: number; is_typing: boolean }) => void;
  /** The access token has expired. */
  'auth:expired': (nothing: Empty) => void;
  /** The session has ended; the server closes the socket. */
  'session:revoked': (nothing: Empty) => void;
  /** The server stops and soon closes the connection. Wait for this long before you connect again. */
  'server:draining': (delay: { reconnect_in_ms: number }) => void;
}

/** What the handler of a command returns: the ack without its `ok`. */
export type Answer<Event extends keyof ClientToServerEvents> =
  Extract<Parameters<Parameters<ClientToServerEvents[Event]>[1]>[0], { ok: true }> extends infer Positive
    ? Omit<Positive, 'ok'>
    : never;
