import type { Socket as TcpSocket } from 'node:net';
import type { Server } from 'socket.io';
import type { RealtimeOptions } from '../realtime.options.js';
import { Backlog } from './backlog.js';
import type { EngineConnection } from './engine-connection.js';

/**
 * Lets all that a socket is sent in one turn of the event loop leave in one system call: a commit tells a device of many
 * messages at once, and answers it, and a call for each frame costs more than the rest of it. Where the last turn hasn't
 * left yet, it looks at what has piled up.
 */
export function coalesceWrites({ engine }: Server, maxBacklog: RealtimeOptions['maxBacklog']): void {
  const waiting = new Set<EngineConnection>();
  const corked = new Set<TcpSocket>();
  const backlogs = new WeakMap<EngineConnection, Backlog>();

  const uncork = (): void => {
    for (const tcp of corked) tcp.uncork();
    corked.clear();
  };
  const flush = (): void => {
    for (const connection of waiting) {
      if (connection.transport.writable) (Object.getPrototypeOf(connection) as EngineConnection).flush.call(connection);
      else backlogs.get(connection)!.check();
    }
    waiting.clear();
  };
  function flushLater(this: EngineConnection): void {
    if (waiting.size === 0) process.nextTick(flush);
    waiting.add(this);
  }

  engine.on('connection', (connection: EngineConnection) => {
    connection.flush = flushLater;
    backlogs.set(connection, new Backlog(connection, maxBacklog));
  });
  engine.on('flush', (connection: EngineConnection) => {
    backlogs.get(connection)?.handOver();
    // Just before it writes; polling has no socket of its own, and nothing to gain.
    const tcp = connection.transport.socket?._socket;
    if (!tcp || corked.has(tcp)) return;
    if (corked.size === 0) process.nextTick(uncork);
    corked.add(tcp);
    tcp.cork();
  });
}
