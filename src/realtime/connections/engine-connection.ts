import type { EventEmitter } from 'node:events';
import type { Socket as TcpSocket } from 'node:net';
import type { WebSocket } from 'ws';

/** A packet that waits in a connection. What goes to many sockets is encoded once, as the head and the text of a frame. */
interface WaitingPacket {
  readonly data?: string | Buffer;
  readonly options: { readonly wsPreEncodedFrame?: readonly Buffer[] };
}

interface EngineTransport {
  /** Whether the kernel has taken all that was handed to the transport. */
  readonly writable: boolean;
  readonly socket?: WebSocket & { readonly _socket?: TcpSocket };
  /** Of polling: the answer that waits, or is being written. */
  readonly res?: { destroy(): void } | null;
}

/** The parts of Engine.IO's connection that its typings keep to themselves, as of engine.io 6.6. */
export interface EngineConnection extends EventEmitter {
  flush: (this: EngineConnection) => void;
  readonly readyState: string;
  /** Closes the transport once everything is handed to it. */
  close(): void;
  /** Ends the connection, as when its transport is gone. */
  onClose(reason: string): void;
  /** What the next `flush` hands to the transport. */
  readonly writeBuffer: readonly WaitingPacket[];
  readonly transport: EngineTransport;
}

/** Cuts a connection at once, with all that waits in it: a close frame would wait behind that. The client comes back. */
export function cut(connection: EngineConnection, reason: string): void {
  const { transport } = connection;
  connection.onClose(reason);
  transport.socket?.terminate();
  transport.res?.destroy();
}
