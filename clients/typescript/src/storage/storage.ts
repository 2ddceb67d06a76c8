import type { Chat, Member } from '../../../../src/contract/chats.js';
import type { Message } from '../../../../src/contract/messages.js';
import type { Account } from '../../../../src/contract/users.js';
import type { ChatErrorCode } from '../errors.js';

/** A session as it is kept: the pair of tokens, and the `client_refresh_id` of the refresh that is under way. */
export interface KeptSession {
  readonly account: Account;
  readonly access_token: string;
  /** When the access token runs out, by the clock of this device, in milliseconds. */
  readonly expires_at: number;
  readonly refresh_token: string;
  readonly client_refresh_id?: string;
}

/** Where the tokens are kept. All tabs must read and write one place. */
export interface SessionStore {
  load(): Promise<KeptSession | undefined>;
  /** Resolves when it is stored; with undefined, when nothing is. */
  save(session: KeptSession | undefined): Promise<void>;
}

/** A chat as it is stored. The messages `from` … `seq` are stored, too. */
export interface StoredChat {
  readonly id: number;
  readonly chat: Chat;
  readonly from: number;
  readonly seq: number;
  readonly change_seq: number;
  /** Null when they are not held. */
  readonly members: readonly Member[] | null;
}

/** A command that waits in the outbox. The `message_id` is null until the server has stored the message. */
export type Command =
  | { readonly kind: 'send'; readonly key: string; readonly text: string; readonly reply_to_id?: number }
  | { readonly kind: 'edit'; readonly key: string; readonly text: string; readonly message_id: number | null }
  | { readonly kind: 'delete'; readonly key: string; readonly message_id: number | null }
  | { readonly kind: 'read'; readonly key: string; readonly seq: number; readonly message_id: number };

/** A command for the outbox. `key` is the `client_message_id` of its message. */
export type NewEntry = Command & {
  readonly chat_id: number;
  readonly created_at: string;
  /** How many tries in a row have cut the connection. */
  readonly cuts: number;
  /** Why the server has refused it for good. */
  readonly error: ChatErrorCode | null;
};

/** A command in the outbox. `position` grows with each one that is added, also by other tabs. */
export type OutboxEntry = NewEntry & { readonly position: number };

/** Changes that are written together, or not at all, in this order. */
export interface Changes {
  /** Chats of which everything is deleted. */
  readonly dropped: readonly number[];
  readonly chats: readonly StoredChat[];
  /** Replace those with the same `chat_id` and `seq`. What is below the `from` of a chat that is written, is deleted. */
  readonly messages: readonly Message[];
  /** Replace those with their position, if they are still there. */
  readonly entries: readonly OutboxEntry[];
  /** The positions of entries to remove. */
  readonly removed: readonly number[];
}

/** What is kept for one user: a cache of the server, and the outbox. */
export interface Database {
  load(): Promise<{ chats: StoredChat[]; messages: Message[] }>;
  /** The commands that wait, in their order. */
  outbox(): Promise<OutboxEntry[]>;
  /** Adds a command and removes those that it replaces, atomically. Resolves when that is stored. */
  add(entry: NewEntry, replaced: readonly number[]): Promise<OutboxEntry>;
  /** Resolves when the changes are stored. */
  write(changes: Changes): Promise<void>;
  /** Deletes the cache, and not the outbox: for want of space. */
  dropCache(): Promise<void>;
  close(): Promise<void>;
  /** Closes it and deletes everything. */
  destroy(): Promise<void>;
}

/** A place for the databases of users, and for the session. */
export interface Storage {
  /** Whether what is stored is there after a restart. */
  readonly isPersistent: boolean;
  readonly session: SessionStore;
  open(userId: number): Promise<Database>;
}

export const NO_CHANGES: Changes = { dropped: [], chats: [], messages: [], entries: [], removed: [] };
