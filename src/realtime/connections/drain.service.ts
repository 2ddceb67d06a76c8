import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { ShutdownState } from '../../common/shutdown.state.js';
import type { ChatServer, ChatSocket } from '../chat-socket.js';
import { SocketServer } from '../socket.server.js';
import { cut, type EngineConnection } from './engine-connection.js';

/** How long a node needs to accept one client again, in milliseconds, with room for its other work. */
const MS_PER_CLIENT = 2;
/** The shortest reconnect delay, in milliseconds. */
const SHORTEST_DELAY_MS = 500;
/** The bounds of the random part of a reconnect delay, in milliseconds. It grows with the number of clients. */
const SHORTEST_SPREAD_MS = 1_000;
const LONGEST_SPREAD_MS = 30_000;
/** The longest time over which connections are closed, and the pause between two slices of them, in milliseconds. */
const LONGEST_CLOSING_MS = 3_000;
const STEP_MS = 100;
/** When the connections that are left are cut, in milliseconds. Commands need less: their statements end within 3 s. */
const DEADLINE_MS = 5_000;

/**
 * Ends the connections of a process that stops. Nest calls it as the first hook of a stop.
 *
 * States, in this order and never back:
 * 1. *serving*.
 * 2. *announced*: `ShutdownState` has begun, so new handshakes and HTTP requests are refused with 503. Each client has
 *    got `server:draining` with a reconnect delay of its own.
 * 3. *closing*: slice by slice, over at most 3 s. A connection first refuses new commands and runs those it has
 *    accepted (`CommandDispatcher.finish`); then its transport closes, and the client library connects again by itself.
 * 4. *ended*: all connections have closed, or 5 s have passed and the rest was cut.
 *
 * Invariants: an accepted command is acked before its transport closes, unless the 5 s pass. The rest of the
 * application still works meanwhile, as the commands need it: other classes do their work of a stop in later hooks.
 */
@Injectable()
export class DrainService implements OnModuleDestroy {
  private readonly logger = new Logger(DrainService.name);

  constructor(
    private readonly sockets: SocketServer,
    private readonly shutdown: ShutdownState,
  ) {}

  /** Resolves when no connection is left. */
  async onModuleDestroy(): Promise<void> {
    this.shutdown.begin();
    if (!this.sockets.isMade) return; // The start failed before the gateway was set up.
    const { io } = this.sockets;
    // A client may never send the rest of its HTTP request. That must not keep the process alive.
    const http = io.httpServer as HttpServer;
    setTimeout(() => http.closeAllConnections(), DEADLINE_MS).unref();

    const connections = connectionsOf(io);
    if (connections.length === 0) return;
    this.logger.log({ event: 'drain.begun', connections: connections.length });
    announce(io);
    await Promise.race([closeAll(io, connections), pause(DEADLINE_MS, undefined, { ref: false })]);
    for (const connection of new Set([...connections, ...connectionsOf(io)])) cut(connection, 'server draining');
    this.logger.log({ event: 'drain.ended' });
  }
}

/** Sends each client `server:draining`, with a random delay, so that they don't all reconnect at once. */
function announce({ sockets: { sockets } }: ChatServer): void {
  const spread = Math.max(SHORTEST_SPREAD_MS, Math.min(sockets.size * MS_PER_CLIENT, LONGEST_SPREAD_MS));
  for (const socket of sockets.values()) {
    socket.emit('server:draining', { reconnect_in_ms: Math.round(SHORTEST_DELAY_MS + Math.random() * spread) });
  }
}

/** Closes the connections in slices. So clients that ignore their delay don't reconnect all at once, either. */
async function closeAll(io: ChatServer, connections: readonly EngineConnection[]): Promise<void> {
  const time = Math.min(connections.length * MS_PER_CLIENT, LONGEST_CLOSING_MS);
  const slice = Math.ceil(connections.length / Math.ceil(time / STEP_MS));
  const closing: Promise<void>[] = [];
  for (let start = 0; start < connections.length; start += slice) {
    if (start > 0) await pause(STEP_MS);
    // Read for each slice: a connection may have joined the namespace since.
    const sockets = new Map([...io.sockets.sockets.values()].map((socket) => [socket.conn as unknown, socket]));
    for (const connection of connections.slice(start, start + slice)) {
      closing.push(close(connection, sockets.get(connection)));
    }
  }
  await Promise.all(closing);
}

/** All connections, also those that have not joined the namespace. */
function connectionsOf({ engine }: ChatServer): EngineConnection[] {
  return Object.values((engine as unknown as { clients: Record<string, EngineConnection> }).clients);
}

/** Closes one connection after its accepted commands are acked. Resolves when the client has closed it, too. */
async function close(connection: EngineConnection, socket: ChatSocket | undefined): Promise<void> {
  await socket?.data.commands?.finish();
  const { socket: webSocket } = connection.transport;
  const isOpen = webSocket ? webSocket.readyState !== webSocket.CLOSED : connection.readyState !== 'closed';
  const closed = isOpen ? once(webSocket ?? connection, 'close') : undefined;
  connection.close();
  await closed;
}
