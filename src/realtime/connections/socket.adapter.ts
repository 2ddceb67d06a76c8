import type { Server as HttpServer } from 'node:http';
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { MessageMappingProperties } from '@nestjs/websockets';
import type { PinoLogger } from 'nestjs-pino';
import type { Server, ServerOptions } from 'socket.io';
import { Encoder } from 'socket.io-parser';
import { type ServerOptions as WebSocketServerOptions, WebSocketServer } from 'ws';
import type { ChatServer, ChatSocket } from '../chat-socket.js';
import { REALTIME_OPTIONS, type RealtimeOptions } from '../realtime.options.js';
import { SocketServer } from '../socket.server.js';
import { AdmissionService } from './admission.service.js';
import { BoundedDecoder } from './bounded-decoder.js';
import { ConnectionBoundsService } from './connection-bounds.service.js';
import { coalesceWrites } from './coalesce-writes.js';
import { CommandDispatcher, type CommandHandler } from '../commands/command-dispatcher.js';
import { refuseBrokenText } from './refuse-broken-text.js';

/**
 * The most bytes of a frame, or of a polling request, that are read; a larger one cuts the connection. What is larger than
 * a command may be (`MAX_COMMAND_BYTES`) is read only to be answered, since a client that gets no answer sends the same
 * again. This is a hundred times what a message may have. It is held until it is complete: for the 1,000 connections of
 * an address that is 512 MiB, as much as the bodies of its 2,000 requests may take.
 */
const MAX_FRAME_BYTES = 512 * 1024;

/** The most fragments of one message. Each costs as much as a message, and client libraries send none. */
export const MAX_FRAGMENTS = 16;

/** The WebSocket server of Engine.IO, with a bound that Engine.IO has no option for. */
class BoundedWebSocketServer extends WebSocketServer {
  constructor(options: WebSocketServerOptions) {
    super({ ...options, maxFragments: MAX_FRAGMENTS });
  }
}

/**
 * Makes the Socket.IO server with the limits of docs/realtime.md, and gives each socket its `CommandDispatcher`.
 * `src/app.setup.ts` installs it; Nest calls `createIOServer` once, and `bindMessageHandlers` for each socket just
 * after its handshake.
 */
export class SocketAdapter extends IoAdapter {
  /** The index of each event's handler in the list that Nest makes for every socket. It is the same for all sockets. */
  private positions: ReadonlyMap<string, number> | undefined;

  constructor(
    private readonly app: INestApplicationContext,
    private readonly corsOrigins: readonly string[] | true,
    private readonly pino: PinoLogger,
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const admission = this.app.get(AdmissionService);
    const { joinTimeoutMs, pingIntervalMs, pingTimeoutMs, maxBacklog } =
      this.app.get<RealtimeOptions>(REALTIME_OPTIONS);
    const server = super.createIOServer(port, {
      ...options,
      cors: { origin: this.corsOrigins === true ? true : [...this.corsOrigins] },
      // Engine.IO's own refusal can't have the status 503 and `Retry-After`.
      allowRequest: (request, decide) => {
        const refusal = admission.refusalOf(request);
        if (refusal) admission.refuse(request, refusal);
        else decide(null, true);
      },
      serveClient: false,
      destroyUpgrade: false, // PlainWebSocketServer answers every upgrade that isn't Socket.IO's.
      wsEngine: BoundedWebSocketServer,
      maxHttpBufferSize: MAX_FRAME_BYTES,
      parser: { Encoder, Decoder: BoundedDecoder },
      connectTimeout: 2 * joinTimeoutMs, // `BoundedConnection` cuts before, and counts it.
      pingInterval: pingIntervalMs,
      pingTimeout: pingTimeoutMs,
    } as ServerOptions);
    this.app.get(SocketServer).hold(server as ChatServer);
    coalesceWrites(server as ChatServer, maxBacklog);
    refuseBrokenPolls(server);
    return server;
  }

  override bindMessageHandlers(socket: never, handlers: MessageMappingProperties[]): void {
    const bounds = this.app.get(ConnectionBoundsService);
    const positions = (this.positions ??= new Map(handlers.map(({ message }, index) => [message as string, index])));
    /** The dispatcher asks once for each event that arrives, so this is where those without a handler are counted. */
    const handlerOf = (event: string): CommandHandler | undefined => {
      const position = positions.get(event);
      if (position !== undefined) return handlers[position]!.callback as CommandHandler;
      bounds.countUnknown(socket);
      return undefined;
    };
    const { data } = socket as ChatSocket;
    data.commands = new CommandDispatcher(socket, handlerOf, this.pino);
  }
}

/** First of all listeners, since the body may come with the headers. */
function refuseBrokenPolls(server: Server): void {
  (server.httpServer as HttpServer).prependListener('request', (request, response) => {
    if (request.method === 'POST' && request.url!.startsWith(server.path())) refuseBrokenText(request, response);
  });
}
