import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { ShutdownState } from '../../common/shutdown.state.js';
import type { ChatServer, ChatSocket } from '../chat-socket.js';
import { SocketServer } from '../socket.server.js';
import { cut, type EngineConnection } from './engine-connection.js';

/** What a node takes to let one client in again, in milliseconds, with room for its other work. */
const MS_PER_CLIENT = 2;
/** The shortest delay that a client is told, in milliseconds. */
const SHORTEST_DELAY_MS = 500;
/** What the delays differ by, at the most, in milliseconds: the more clients the more. */
const SHORTEST_SPREAD_MS = 1_000;
const LONGEST_SPREAD_MS = 30_000;
/** Over how long the connections are closed, at the most, and in which steps, in milliseconds. */
const LONGEST_CLOSING_MS = 3_000;
const STEP_MS = 100;
/** Whatever is still there then is cut, in milliseconds. The statements of a command end within three seconds. */
const DEADLINE_MS = 5_000;

/**
 * Ends the connections of a process that stops: each client is told so with a delay of its own, what it has sent is
 * carried out and acked, and its transport is closed, so that the client library connects again by itself.
 */
@Injectable()
export class DrainService implements OnModuleDestroy {
  private readonly logger = new Logger(DrainService.name);

  constructor(
    private readonly sockets: SocketServer,
    private readonly shutdown: ShutdownState,
  ) {}

  /** The first hook of a stop: all the rest of the application is still at work, as the commands need it. */
  async onModuleDestroy(): Promise<void> {
    this.shutdown.begin();
    if (!this.sockets.isMade) return; // The start failed before.
    const { io } = this.sockets;
    // A request may be half sent for ever, and would hold the process.
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

/** Tells each client a delay of its own. */
function announce({ sockets: { sockets } }: ChatServer): void {
  const spread = Math.max(SHORTEST_SPREAD_MS, Math.min(sockets.size * MS_PER_CLIENT, LONGEST_SPREAD_MS));
  for (const socket of sockets.values()) {
    socket.emit('server:draining', { reconnect_in_ms: Math.round(SHORTEST_DELAY_MS + Math.random() * spread) });
  }
}

/** In slices, so that the clients that don't heed their delay are spread, too. */
async function closeAll(io: ChatServer, connections: readonly EngineConnection[]): Promise<void> {
  const time = Math.min(connections.length * MS_PER_CLIENT, LONGEST_CLOSING_MS);
  const slice = Math.ceil(connections.length / Math.ceil(time / STEP_MS));
  const closing: Promise<void>[] = [];
  for (let start = 0; start < connections.length; start += slice) {
    if (start > 0) await pause(STEP_MS);
    // Looked for now: a connection may have joined meanwhile.
    const sockets = new Map([...io.sockets.sockets.values()].map((socket) => [socket.conn as unknown, socket]));
    for (const connection of connections.slice(start, start + slice)) {
      closing.push(close(connection, sockets.get(connection)));
    }
  }
  await Promise.all(closing);
}

function connectionsOf({ engine }: ChatServer): EngineConnection[] {
  return Object.values((engine as unknown as { clients: Record<string, EngineConnection> }).clients);
}

/** Closes one connection when everything that came over it is acked. Resolves when the client has closed it, too. */
async function close(connection: EngineConnection, socket: ChatSocket | undefined): Promise<void> {
  await socket?.data.commands?.finish();
  const { socket: webSocket } = connection.transport;
  const isOpen = webSocket ? webSocket.readyState !== webSocket.CLOSED : connection.readyState !== 'closed';
  const closed = isOpen ? once(webSocket ?? connection, 'close') : undefined;
  connection.close();
  await closed;
}
