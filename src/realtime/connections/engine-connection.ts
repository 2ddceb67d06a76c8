import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import type { WebSocket } from 'ws';

/** A packet in `writeBuffer`. A packet for many sockets is encoded once, as the header and the payload of a frame. */
interface WaitingPacket {
  readonly data?: string | Buffer;
  readonly options: { readonly wsPreEncodedFrame?: readonly Buffer[] };
}

/** How a connection reaches its client: a WebSocket or polling. */
export interface EngineTransport extends EventEmitter {
  /** `polling` or `websocket`. */
  readonly name: string;
  /** Whether the kernel has taken all that was handed to the transport. */
  readonly writable: boolean;
  readonly socket?: WebSocket & { readonly _socket?: TcpSocket };
  /** Of polling: the HTTP response that waits for packets, or is being written. */
  readonly res?: ServerResponse | null;
  /** Of polling: takes the body of a request, which can hold many packets. `BoundedConnection` replaces it. */
  onData: (this: EngineTransport, body: string) => void;
  /** Of polling, closed while no poll waits: ends the close that waits for the next one, half a minute. */
  readonly shouldClose?: (() => void) | null;
}

/**
 * The members of Engine.IO's connection that its typings declare private or leave out, as of engine.io 6.6. Check them
 * against its source when engine.io is upgraded.
 */
export interface EngineConnection extends EventEmitter {
  /** Hands `writeBuffer` to the transport if it is writable. `coalesceWrites` replaces it. */
  flush: (this: EngineConnection) => void;
  /** Lets a polling client change to a WebSocket. `BoundedConnection` replaces it, to see the WebSocket from the start. */
  _maybeUpgrade: (this: EngineConnection, transport: EngineTransport) => void;
  readonly readyState: string;
  readonly request: IncomingMessage;
  /** Closes the transport after everything in `writeBuffer` has been handed to it. */
  close(): void;
  /** Ends the connection, as if its transport were gone. `reason` becomes the reason of the disconnect. */
  onClose(reason: string): void;
  /** The packets that the next flush hands to the transport. */
  readonly writeBuffer: readonly WaitingPacket[];
  readonly transport: EngineTransport;
}

/**
 * Cuts a connection at once and drops what waits in it. There is no close frame: it would wait behind the rest. The
 * client library connects again by itself.
 */
export function cut(connection: EngineConnection, reason: string): void {
  const { transport } = connection;
  connection.onClose(reason);
  transport.socket?.terminate();
  transport.res?.destroy();
  transport.shouldClose?.();
}
