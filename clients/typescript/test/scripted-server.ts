import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server, type Socket } from 'socket.io';
import type { CommandError } from '../../../src/contract/errors.js';
import type { News } from '../../../src/contract/sync.js';

/** How a connection is answered: it is let in, not even shaken hands with, or refused. */
export type Reply = 'accept' | 'shut' | CommandError;

/** A server whose sockets are real and do what a test says, when it says so. */
export class ScriptedServer {
  /** The one that has joined. */
  socket: Socket | undefined;
  /** The access tokens that came with connections, and with `auth:refresh`. */
  readonly tokens: string[] = [];
  private readonly io: Server;
  private readonly held = new Set<(reply: Reply) => void>();
  private readonly syncs: ((ack: object) => void)[] = [];
  private readonly connections = new Set<Duplex>();
  private reply: Reply | undefined;

  private constructor(private readonly http: HttpServer) {
    http.on('connection', (connection) => this.connections.add(connection));
    this.io = new Server(http, {
      serveClient: false,
      allowRequest: (_, decide) => this.ask((reply) => decide(null, reply !== 'shut')),
    });
    this.io.use((_, next) => this.ask((reply) => next(typeof reply === 'object' ? refusal(reply) : undefined)));
    this.io.on('connection', (socket) => this.onSocket(socket));
  }

  static async start(): Promise<ScriptedServer> {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new ScriptedServer(http);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /** Whether a connection waits for an answer. */
  get isAsked(): boolean {
    return this.held.size > 0;
  }

  /** How many calls of `sync` wait for an answer. */
  get syncsWaiting(): number {
    return this.syncs.length;
  }

  /** Answers the connection that waits, and those that come, until `hold`. */
  answer(reply: Reply): void {
    this.reply = reply;
    for (const decide of this.held) decide(reply);
    this.held.clear();
  }

  /** From now on connections wait. */
  hold(): void {
    this.reply = undefined;
  }

  /** Answers the `sync` that waits. False when none does. */
  answerSync(answer: News | CommandError): boolean {
    const ack = this.syncs.shift();
    ack?.('chats' in answer ? { ok: true, data: answer } : { ok: false, error: answer });
    return ack !== undefined;
  }

  /** Ends the connections, also those that wait. */
  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    await this.io.close();
  }

  private ask(decide: (reply: Reply) => void): void {
    if (this.reply) decide(this.reply);
    else this.held.add(decide);
  }

  private onSocket(socket: Socket): void {
    this.socket = socket;
    this.tokens.push((socket.handshake.auth as { token: string }).token);
    socket.on('disconnect', () => (this.socket = undefined));
    socket.on('sync', (_: object, ack: (answer: object) => void) => this.syncs.push(ack));
    socket.on('typing', (_: object, ack: (answer: object) => void) => ack({ ok: true, data: {} }));
    socket.on('auth:refresh', ({ token }: { token: string }, ack: (answer: object) => void) => {
      this.tokens.push(token);
      ack({ ok: true, data: { expires_in: 900 } });
    });
  }
}

const refusal = (error: CommandError): Error => Object.assign(new Error(error.code), { data: error });
