import fc from 'fast-check';
import { http } from './http-inputs.js';
import { plain, socket } from './socket-inputs.js';

/**
 * An input of the fuzzer. Strings hold one byte per character. `$token` and other placeholders are replaced when the
 * input is sent, so that a stored input works with any database.
 */
export type Input =
  /** One request on a separate TCP connection. `$length` in its head is the length of the body. */
  | { readonly kind: 'http'; readonly head: readonly string[]; readonly body: string }
  /** Packets of Socket.IO over a WebSocket, with or without a valid handshake. A leading `*` makes a packet binary. */
  | { readonly kind: 'socket'; readonly connect: string; readonly packets: readonly string[] }
  /** Frames of a plain WebSocket. */
  | { readonly kind: 'plain'; readonly path: string; readonly frames: readonly string[] };

/** Any input, derived from the OpenAPI document and the socket contract. */
export const input: fc.Arbitrary<Input> = fc.oneof(
  { weight: 4, arbitrary: http },
  { weight: 2, arbitrary: socket },
  { weight: 1, arbitrary: plain },
);
