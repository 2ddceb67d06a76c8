import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { type BaseServer, Socket as Connection } from 'engine.io';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { ChatsService } from '../../chats/chats.service.js';
import { AppError } from '../../common/errors/app-error.js';
import { parseDigits } from '../../common/validation/fields.js';
import { toAppError } from '../../common/errors/to-app-error.js';
import { AdmissionService } from '../connections/admission.service.js';
import type { ChatSocket } from '../chat-socket.js';
import { SocketServer } from '../socket.server.js';
import { PlainTransport } from './plain-transport.js';
import { refuseHandshake } from '../connections/refuse-handshake.js';
import { MAX_FRAGMENTS } from '../connections/socket.adapter.js';

/** `/ws/chat`, or `/ws/{chat_id}`. */
const PATH = /^\/ws\/([^/]+)\/?$/;

/** How long a client may take to answer a close frame, in milliseconds. After that the connection is cut. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Stands for a path segment that is not an id. No chat has this id, so nobody is its member. */
const NO_CHAT = 0;

/**
 * Accepts plain WebSockets, for clients without a Socket.IO library, at the upgrades under `/ws`. Each becomes a
 * connection of Engine.IO with a `PlainTransport`, and so a socket of Socket.IO. Handshake, guards, rooms, limits,
 * order, expiry and shutdown are therefore the same for both, and written once.
 *
 * Invariant: no frame is read before the socket has joined and, on `/ws/{chat_id}`, its user is known to be a member.
 */
@Injectable()
export class PlainWebSocketServer implements OnModuleInit {
  private readonly logger = new Logger(PlainWebSocketServer.name);
  private webSockets: WebSocketServer;

  constructor(
    private readonly sockets: SocketServer,
    private readonly chats: ChatsService,
    private readonly admission: AdmissionService,
  ) {}

  /** Starts to accept plain WebSockets. Socket.IO goes on answering the upgrades under its own path. */
  onModuleInit(): void {
    const { io } = this.sockets;
    // The typings of ws have no `closeTimeout` yet.
    const options: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      maxPayload: io.engine.opts.maxHttpBufferSize,
      maxFragments: MAX_FRAGMENTS,
      closeTimeout: CLOSE_TIMEOUT_MS,
    };
    this.webSockets = new WebSocketServer(options);
    const httpServer = io.httpServer as Server;
    httpServer.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    io.on('connection', (socket) => void this.admit(socket));
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path = '', query] = request.url!.split('?', 2);
    if (path.startsWith(this.sockets.io.path())) return;
    const target = PATH.exec(path)?.[1];
    if (target === undefined) return refuseHandshake(request, new AppError('not_found', 'There is no WebSocket here.'));
    const refusal = this.admission.refusalOf(request);
    if (refusal) return this.admission.refuse(request, refusal);
    request.url = path; // Remove the query from the request: it has the token, which no later code needs.
    this.webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.open(webSocket, request, target, new URLSearchParams(query)),
    );
  }

  /** Registers the WebSocket as Engine.IO registers its own after a handshake. */
  private open(webSocket: WebSocket, request: IncomingMessage, target: string, query: URLSearchParams): void {
    const engine = this.sockets.io.engine as unknown as BaseServer & { clients: Record<string, Connection> };
    const transport = new PlainTransport(webSocket, target === 'chat' ? undefined : toChatId(target));
    const id = randomUUID();
    const userId = query.get('user_id');
    const _query: Record<string, string> = userId === null ? {} : { user_id: userId };
    const connection = new Connection(id, engine, transport, Object.assign(request, { _query }), 4);
    engine.clients[id] = connection;
    engine.clientsCount += 1;
    connection.once('close', () => {
      Reflect.deleteProperty(engine.clients, id);
      engine.clientsCount -= 1;
    });
    transport.on('answer', (frame: string) => connection.write(frame));
    engine.emit('connection', connection);
    transport.join(query.get('token') ?? undefined);
  }

  /**
   * Checks that the user is in the connection's one chat, if it has one. The socket is in its room before this check,
   * so it gets `chat:removed` for any later removal.
   */
  private async admit({ conn: { transport }, data }: ChatSocket): Promise<void> {
    if (!(transport instanceof PlainTransport)) return;
    try {
      if (transport.chatId !== undefined) await this.chats.requireMember(transport.chatId, data.principal.userId);
      transport.admit();
    } catch (exception) {
      const error = toAppError(exception);
      if (error.code === 'internal_error') this.logger.error({ err: exception });
      transport.refuse(error);
    }
  }
}

/** The chat id of a path segment; `NO_CHAT` if it is none. */
function toChatId(text: string): number {
  const id = parseDigits(text);
  return Number.isSafeInteger(id) ? (id as number) : NO_CHAT;
}
