import type { Socket as TcpSocket } from 'node:net';
import type { ChatServer } from '../chat-socket.js';
import type { RealtimeOptions } from '../realtime.options.js';
import { BacklogTotals } from './backlog-totals.js';
import { Backlog } from './backlog.js';
import type { EngineConnection } from './engine-connection.js';

/**
 * Writes all that a socket sends in one turn of the event loop with one system call. A commit publishes many messages
 * to a device at once, and acks its sends; a call for each frame would cost more than all the rest. `SocketAdapter`
 * calls this once, for the server. It replaces the method `flush` of each Engine.IO connection.
 *
 * States of a connection:
 * - *idle*: it has nothing to flush;
 * - *waiting*: Engine.IO has called `flush` in this turn, once or more;
 * - *corked*: its frames are handed to the TCP socket, which keeps them until it is uncorked;
 * - *busy*: the kernel has not taken the frames of an earlier flush.
 *
 * Transitions:
 * - idle or busy → waiting: `flush` is called. Engine.IO also calls it when a busy transport becomes writable;
 * - waiting → corked, at the end of the turn, if the transport is writable: the one real flush;
 * - waiting → busy, at the end of the turn, if it isn't: the packets stay, and the `Backlog` checks its bound;
 * - corked → idle, right after: the TCP socket writes everything at once.
 *
 * Invariants: packets keep their order. A connection that keeps up is never behind.
 */
export function coalesceWrites(server: ChatServer, maxBacklog: RealtimeOptions['maxBacklog']): void {
  const { engine } = server;
  const totals = new BacklogTotals(maxBacklog);
  const waiting = new Set<EngineConnection>();
  /** The TCP sockets that keep what this turn has flushed, with the connection of each. */
  const corked = new Map<TcpSocket, EngineConnection>();
  const backlogs = new WeakMap<object, Backlog>();

  const uncork = (): void => {
    for (const [tcp, connection] of corked) {
      tcp.uncork();
      backlogs.get(connection)!.count();
    }
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
    backlogs.set(connection, new Backlog(connection, maxBacklog, totals));
  });
  server.on('connection', ({ conn, data }) => (backlogs.get(conn)!.userId = data.principal.userId));
  engine.on('flush', (connection: EngineConnection) => {
    backlogs.get(connection)?.handOver();
    // Engine.IO emits this just before it writes. Polling has no socket of its own, and nothing to gain.
    const tcp = connection.transport.socket?._socket;
    if (!tcp || corked.has(tcp)) return;
    if (corked.size === 0) process.nextTick(uncork);
    corked.set(tcp, connection);
    tcp.cork();
  });
}
