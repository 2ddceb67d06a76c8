import fc from 'fast-check';
import { http } from './http-inputs.js';
import { plain, socket } from './socket-inputs.js';

/**
 * What is thrown at the application. Texts are bytes, one a character; `$token` and the like are filled in when it is
 * sent, so that an input that is kept means the same to another application.
 */
export type Input =
  /** One request with a TCP connection of its own; `$length` in its head is that of the body. */
  | { readonly kind: 'http'; readonly head: readonly string[]; readonly body: string }
  /** Packets of Socket.IO over a WebSocket, after a proper handshake or without; `*` before one makes it binary. */
  | { readonly kind: 'socket'; readonly connect: string; readonly packets: readonly string[] }
  /** Frames of a plain WebSocket. */
  | { readonly kind: 'plain'; readonly path: string; readonly frames: readonly string[] };

/** Anything, from the OpenAPI document and the socket contract. */
export const input: fc.Arbitrary<Input> = fc.oneof(
  { weight: 4, arbitrary: http },
  { weight: 2, arbitrary: socket },
  { weight: 1, arbitrary: plain },
);
