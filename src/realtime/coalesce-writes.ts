import type { Socket as TcpSocket } from 'node:net';
import type { Server } from 'socket.io';

interface WebSocketTransport {
  readonly socket?: { readonly _socket?: TcpSocket };
}

/**
 * Lets the frames that a socket is sent in one turn of the event loop leave in one system call instead of one each: a
 * commit answers and tells a device of many messages at once, and the call costs more than the rest of an emit.
 */
export function coalesceWrites(server: Server): void {
  const corked = new Set<TcpSocket>();
  const release = (): void => {
    for (const tcp of corked) tcp.uncork();
    corked.clear();
  };
  // engine.io says so just before it writes to a transport; polling has no socket of its own, and nothing to gain.
  server.engine.on('flush', ({ transport }: { transport: WebSocketTransport }) => {
    const tcp = transport.socket?._socket;
    if (!tcp || corked.has(tcp)) return;
    if (corked.size === 0) process.nextTick(release);
    corked.add(tcp);
    tcp.cork();
  });
}
