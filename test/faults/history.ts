import type { Message } from '../../src/contract/messages.js';

// The history of a run, as in Jepsen: all that clients request, are answered and receive, with times.

/** A version of a message as a client sees it: as sent, edited or deleted. */
export interface Seen {
  readonly id: number;
  readonly chat: number;
  readonly seq: number;
  readonly sender: number;
  readonly key: string;
  readonly text: string | null;
  readonly timestamp: string;
  /** Null for a message that was never changed. */
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

/** A request of a client. */
export type Operation =
  | { readonly kind: 'send'; readonly user: number; readonly chat: number; readonly key: string; readonly text: string }
  /** An edit of the message with this key, by its sender. Every edit has another text. */
  | { readonly kind: 'edit'; readonly user: number; readonly chat: number; readonly key: string; readonly text: string }
  | { readonly kind: 'delete'; readonly user: number; readonly chat: number; readonly key: string }
  | { readonly kind: 'read'; readonly user: number; readonly chat: number; readonly seq: number }
  | { readonly kind: 'add' | 'remove'; readonly chat: number; readonly user: number }
  | { readonly kind: 'sync'; readonly user: number; readonly device: string };

/** The parts of a sync answer that the checker needs. */
export interface SyncResult {
  readonly chats: readonly { readonly id: number; readonly lastRead: number; readonly messages: readonly Seen[] }[];
  readonly removed: readonly number[];
}

export type Outcome =
  | { readonly kind: 'send'; readonly message: Seen; readonly replayed: boolean }
  | { readonly kind: 'edit' | 'delete'; readonly message: Seen }
  | { readonly kind: 'read'; readonly seq: number }
  | { readonly kind: 'add' | 'remove' }
  | ({ readonly kind: 'sync' } & SyncResult);

/** Times are milliseconds since the start of the run, by the clock of this process. */
export type Entry = { readonly at: number } & (
  | { readonly type: 'chat created'; readonly chat: number; readonly users: readonly number[] }
  | { readonly type: 'invoke'; readonly op: number; readonly process: string; readonly what: Operation }
  | { readonly type: 'ok'; readonly op: number; readonly outcome: Outcome }
  /** Finally refused: the operation has not happened. */
  | { readonly type: 'fail'; readonly op: number; readonly why: string }
  /** It is unknown whether the operation has happened. */
  | { readonly type: 'unknown'; readonly op: number; readonly why: string }
  /** A connection of a device. It is up after its first sync: from then on the device lacks nothing. */
  | { readonly type: 'up' | 'down'; readonly device: string; readonly user: number; readonly connection: number }
  | {
      readonly type: 'event';
      readonly device: string;
      readonly user: number;
      readonly connection: number;
      readonly name: string;
      readonly chat: number;
      /** Set for `message:created`, `message:updated` and `message:deleted`. */
      readonly message?: Seen;
    }
  /** `recovered`: every node has accepted a message again. */
  | {
      readonly type: 'fault';
      readonly phase: 'begin' | 'end' | 'recovered';
      readonly kind: string;
      readonly fault: number;
    }
  /** All messages of a chat that a device has at the end. */
  | {
      readonly type: 'holds';
      readonly device: string;
      readonly user: number;
      readonly chat: number;
      readonly messages: readonly Seen[];
    }
  /** A device with the client has accepted a message: it is stored on the device. */
  | {
      readonly type: 'accepted';
      readonly device: string;
      readonly user: number;
      readonly chat: number;
      readonly key: string;
    }
  | ({ readonly type: 'client state' } & ClientState)
);

/** What a client has at the end, beside its messages. */
export interface ClientState {
  readonly device: string;
  readonly user: number;
  readonly chats: readonly {
    readonly chat: number;
    readonly lastRead: number;
    /** The ids of the members; null when the client doesn't hold them. */
    readonly members: readonly number[] | null;
  }[];
  readonly outbox: readonly { readonly kind: string; readonly key: string; readonly error: string | null }[];
}

/** An entry without its time. */
type Unstamped = Entry extends infer One ? (One extends Entry ? Omit<One, 'at'> : never) : never;

/** The state of the database at the end of the run. */
export interface FinalState {
  readonly chats: readonly { readonly id: number; readonly lastSeq: number }[];
  readonly messages: readonly Seen[];
  readonly members: readonly { readonly chat: number; readonly user: number; readonly lastRead: number }[];
}

/** The record of a run. Entries are only added. */
export class History {
  readonly entries: Entry[] = [];
  private readonly start = performance.now();
  private operations = 0;

  add(entry: Unstamped): void {
    this.entries.push({ at: this.now(), ...entry });
  }

  /** Milliseconds since the start of the run. */
  now(): number {
    return performance.now() - this.start;
  }

  /** Records the start of an operation. Returns its number. */
  invoke(process: string, what: Operation): number {
    const op = (this.operations += 1);
    this.add({ type: 'invoke', op, process, what });
    return op;
  }
}
