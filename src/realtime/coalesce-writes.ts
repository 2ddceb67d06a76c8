import type { Socket as TcpSocket } from 'node:net';
import type { Server } from 'socket.io';

/** The part of engine.io's socket that this is about. */
interface EngineSocket {
  flush: (this: EngineSocket) => void;
  readonly transport: { readonly socket?: { readonly _socket?: TcpSocket } };
}

/**
 * Lets all that a socket is sent in one turn of the event loop leave in one system call: a commit tells a device of many
 * messages at once, and answers it, and a call for each frame costs more than the rest of it.
 */
export function coalesceWrites({ engine }: Server): void {
  const waiting = new Set<EngineSocket>();
  const corked = new Set<TcpSocket>();

  const uncork = (): void => {
    for (const tcp of corked) tcp.uncork();
    corked.clear();
  };
  const flush = (): void => {
    for (const socket of waiting) (Object.getPrototypeOf(socket) as EngineSocket).flush.call(socket);
    waiting.clear();
  };
  function flushLater(this: EngineSocket): void {
    if (waiting.size === 0) process.nextTick(flush);
    waiting.add(this);
  }

  engine.on('connection', (socket: EngineSocket) => (socket.flush = flushLater));
  // Just before it writes; polling has no socket of its own, and nothing to gain.
  engine.on('flush', ({ transport }: EngineSocket) => {
    const tcp = transport.socket?._socket;
    if (!tcp || corked.has(tcp)) return;
    if (corked.size === 0) process.nextTick(uncork);
    corked.add(tcp);
    tcp.cork();
  });
}
