// The plans that the runner sends to the load generator, and the results. Both go over the IPC channel of `load.ts`.

/** One connection of the generator. */
export interface PlannedSocket {
  /** The payload of its CONNECT packet, as JSON. */
  readonly auth: string;
  /** The one chat it is in. */
  readonly chatId: number;
  /** Whether it sends messages; otherwise it only receives. */
  readonly sends: boolean;
}

/** The process ids whose CPU time is measured. `postgres` is the postmaster; its children are included. */
export interface WatchedProcesses {
  readonly server: number;
  readonly postgres: number;
}

export interface SendPlan {
  readonly kind: 'send';
  readonly port: number;
  readonly watched: WatchedProcesses;
  /** The prefix of every `client_message_id` of this run. */
  readonly run: string;
  readonly sockets: readonly PlannedSocket[];
  /** The last `seq` of each chat before the run. */
  readonly heads: ReadonlyMap<number, number>;
  /** Whether the server promises to deliver each chat's messages in order. */
  readonly ordered: boolean;
  /** Unacked messages per sending socket. */
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** How long to send at half of the measured rate afterwards, for the latency; 0 skips it. */
  readonly halfLoadMs: number;
}

export interface ConnectPlan {
  readonly kind: 'connect';
  readonly port: number;
  readonly watched: WatchedProcesses;
  readonly auths: readonly string[];
  /** Concurrent handshakes. */
  readonly window: number;
}

/** Closes the connections that a `ConnectPlan` has opened. */
export interface DisconnectPlan {
  readonly kind: 'disconnect';
}

export type LoadPlan = SendPlan | ConnectPlan | DisconnectPlan;

/** Shares of one core. */
export interface CpuShares {
  readonly generator: number;
  readonly server: number;
  readonly postgres: number;
  /** All other processes of the machine; should be close to 0. */
  readonly others: number;
}

/** The measurements of a time window, by the generator's clock. */
export interface Window {
  readonly seconds: number;
  readonly acks: number;
  readonly deliveries: number;
  readonly receipts: number;
  readonly cpu: CpuShares;
  /** Milliseconds from the sending of a command to its ack. */
  readonly latency: { readonly p50: number; readonly p99: number };
}

/** The acked messages of one socket: number `n` of them has the key `<run>-<socket>-<n>` and the `seq` at `seqs[n]`. */
export interface AckedMessages {
  readonly socket: number;
  readonly chatId: number;
  readonly seqs: readonly number[];
}

export interface SendResult {
  readonly kind: 'send';
  readonly full: Window;
  readonly half: Window | undefined;
  readonly acked: readonly AckedMessages[];
  /** Deliveries of the whole run that arrived before an earlier message. */
  readonly outOfOrder: number;
}

export interface ConnectResult {
  readonly kind: 'connect';
  readonly seconds: number;
  readonly cpu: CpuShares;
}

export type LoadResult = SendResult | ConnectResult | { readonly kind: 'disconnect' } | LoadFailure;

/** The run wasn't exact, or failed. */
export interface LoadFailure {
  readonly kind: 'failure';
  readonly problems: readonly string[];
}

/** The text of every message: 100 characters. */
export const MESSAGE_TEXT =
  'The quick brown fox jumps over the lazy dog, and the dog, being lazy, lets it; so they both go home.';

export const keyOf = (run: string, socket: number, n: number): string => `${run}-${socket}-${n}`;
