import type { Message } from '../../src/contract/messages.js';

/** What a client sees of a message: as it was sent, or as an edit or its deletion has left it. */
export interface Seen {
  readonly id: number;
  readonly chat: number;
  readonly seq: number;
  readonly sender: number;
  readonly key: string;
  readonly text: string | null;
  readonly timestamp: string;
  /** Null as long as nobody has changed it. */
  readonly changeSeq: number | null;
  readonly deleted: boolean;
}

export const seen = (message: Message): Seen => ({
  id: message.id,
  chat: message.chat_id,
  seq: message.seq,
  sender: message.sender_id,
  key: message.client_message_id,
  text: message.text,
  timestamp: message.timestamp,
  changeSeq: message.change_seq,
  deleted: message.deleted_at !== null,
});

/** What somebody asks of the servers. */
export type Operation =
  | { readonly kind: 'send'; readonly user: number; readonly chat: number; readonly key: string; readonly text: string }
  /** Of the message with this key, by its sender. No two edits have the same text. */
  | { readonly kind: 'edit'; readonly user: number; readonly chat: number; readonly key: string; readonly text: string }
  | { readonly kind: 'delete'; readonly user: number; readonly chat: number; readonly key: string }
  | { readonly kind: 'read'; readonly user: number; readonly chat: number; readonly seq: number }
  | { readonly kind: 'add' | 'remove'; readonly chat: number; readonly user: number }
  | { readonly kind: 'sync'; readonly user: number; readonly device: string };

/** What a sync told, without what the checker has no use for. */
export interface Told {
  readonly chats: readonly { readonly id: number; readonly lastRead: number; readonly messages: readonly Seen[] }[];
  readonly removed: readonly number[];
}

export type Outcome =
  | { readonly kind: 'send'; readonly message: Seen; readonly replayed: boolean }
  | { readonly kind: 'edit' | 'delete'; readonly message: Seen }
  | { readonly kind: 'read'; readonly seq: number }
  | { readonly kind: 'add' | 'remove' }
  | ({ readonly kind: 'sync' } & Told);

/** Times are milliseconds since the run began, all by the one clock of this process. */
export type Entry = { readonly at: number } & (
  | { readonly type: 'founded'; readonly chat: number; readonly users: readonly number[] }
  | { readonly type: 'invoke'; readonly op: number; readonly process: string; readonly what: Operation }
  | { readonly type: 'ok'; readonly op: number; readonly outcome: Outcome }
  /** Refused for good: it hasn't happened. */
  | { readonly type: 'fail'; readonly op: number; readonly why: string }
  /** Nobody knows whether it has happened. */
  | { readonly type: 'unknown'; readonly op: number; readonly why: string }
  /** A connection of a device: up when its first sync is through, so that from then on it lacks nothing. */
  | { readonly type: 'up' | 'down'; readonly device: string; readonly user: number; readonly connection: number }
  | {
      readonly type: 'event';
      readonly device: string;
      readonly user: number;
      readonly connection: number;
      readonly name: string;
      readonly chat: number;
      /** Of `message:created`, `message:updated` and `message:deleted`. */
      readonly message?: Seen;
    }
  /** `recovered`: every node has taken a message again. */
  | {
      readonly type: 'fault';
      readonly phase: 'begin' | 'end' | 'recovered';
      readonly kind: string;
      readonly fault: number;
    }
  /** All that a device holds of a chat at the end. */
  | {
      readonly type: 'holds';
      readonly device: string;
      readonly user: number;
      readonly chat: number;
      readonly messages: readonly Seen[];
    }
);

/** Any entry, but for its time. */
type Unstamped = Entry extends infer One ? (One extends Entry ? Omit<One, 'at'> : never) : never;

/** What the database holds when all is over. */
export interface Final {
  readonly chats: readonly { readonly id: number; readonly lastSeq: number }[];
  readonly messages: readonly Seen[];
  readonly members: readonly { readonly chat: number; readonly user: number; readonly lastRead: number }[];
}

/** The record of a run: entries are only ever added. */
export class History {
  readonly entries: Entry[] = [];
  private readonly start = performance.now();
  private operations = 0;

  add(entry: Unstamped): void {
    this.entries.push({ at: this.now(), ...entry });
  }

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.start;
  }

  /** Notes that an operation begins; its number. */
  invoke(process: string, what: Operation): number {
    const op = (this.operations += 1);
    this.add({ type: 'invoke', op, process, what });
    return op;
  }
}
