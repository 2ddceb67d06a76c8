import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { Command, EventName } from './scenario.js';

/** A fault of the network that waits for its command, its event or the answer of a refresh. */
export type Fault =
  | { kind: 'cut_before_commit' | 'cut_after_commit' | 'lose_answer'; command: Command; text?: string; times: number }
  | { kind: 'delay_answer'; command: Command; text?: undefined; times: number }
  | { kind: 'refuse'; command: Command; text?: undefined; times: number; error: Refusal }
  | { kind: 'lose_event' | 'repeat_event' | 'delay_event'; event: EventName; times: number }
  | { kind: 'lose_refresh_answer'; times: number };

/** What the proxy answers in the place of a server that refuses. */
export interface Refusal {
  code: string;
  message: string;
  retryable: boolean;
  retry_after_ms?: number;
}

/** A command as it came from the client. */
export interface Try {
  command: string;
  payload: { client_message_id?: string; message_id?: number; text?: string };
}

/** Timers of other programs may be a little early. */
const TOLERANCE_MS = 25;

const COMMAND = /^42(\d+)(\[.*)$/s;
const EVENT = /^42(\[.*)$/s;
const ACK = /^43(\d+)\[/;

/** A connection of the client, and its other end. */
interface Pair {
  client: WebSocket;
  server: WebSocket;
  /** The ack with which the connection is to be cut. */
  cutAt?: string;
  /** The ack that is to be overtaken by an event. */
  delayedAck?: string;
  /** Nothing of the server is passed on any more. */
  isSilent: boolean;
  /** Frames that are passed on after the next one. */
  delayed: string[];
  /** How long the server that stops has asked to wait. */
  drainMs?: number;
}

/** Stands between a client and the server, sees each frame, and does what a bad network does. */
export class FaultProxy {
  readonly tries: Try[] = [];
  /** What the client has done against the protocol. */
  readonly violations: string[] = [];
  /** When the access token that the client got last runs out. */
  tokenEndsAt = 0;
  private readonly sockets = new Set<Socket>();
  private readonly pairs = new Set<Pair>();
  private readonly webSockets = new WebSocketServer({ noServer: true });
  private faults: Fault[] = [];
  private isOpen = true;
  private readonly notBefore = new Map<string, number>();
  private connectNotBefore = 0;
  private onFault: () => void = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (socket: Socket) => this.accept(socket));
    server.on('request', (incoming: IncomingMessage, answer: ServerResponse) => this.pass(incoming, answer));
    server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.upgrade(incoming, socket, head),
    );
  }

  static async inFrontOf(url: string): Promise<FaultProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, new URL(url));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  add(fault: Fault): void {
    this.faults.push(fault);
  }

  /** Resolves when all faults have happened. */
  async faultsHappened(): Promise<void> {
    while (this.faults.length > 0) await new Promise<void>((resolve) => (this.onFault = resolve));
  }

  get waitingFaults(): string[] {
    return this.faults.map(({ kind }) => kind);
  }

  offline(): void {
    this.isOpen = false;
    this.cut();
  }

  online(): void {
    this.isOpen = true;
  }

  /** Cuts all connections. New ones are accepted. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
    for (const { server } of this.pairs) server.terminate();
  }

  close(): void {
    this.offline();
    this.server.close();
  }

  private accept(socket: Socket): void {
    if (!this.isOpen) {
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
  }

  private pass(incoming: IncomingMessage, answer: ServerResponse): void {
    if (incoming.url!.startsWith('/socket.io/')) {
      answer.writeHead(400).end('Connect by WebSocket: the suite can see into nothing else.');
      return;
    }
    const { method, headers, url: path } = incoming;
    const onward = request({ host: this.target.hostname, port: this.target.port, method, path, headers });
    onward.on('error', () => answer.destroy());
    onward.on('response', (response) => void this.answer(incoming, response, answer));
    incoming.pipe(onward);
  }

  private async answer(incoming: IncomingMessage, response: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of response) chunks.push(chunk as Buffer);
    } catch {
      answer.destroy();
      return;
    }
    const body = Buffer.concat(chunks);
    if (incoming.url === '/auth/refresh' && this.take((fault) => fault.kind === 'lose_refresh_answer')) {
      answer.destroy();
      return;
    }
    if (response.statusCode === 200 && /^\/auth\/(login|refresh)$/.test(incoming.url!)) this.noteToken(body);
    answer.writeHead(response.statusCode!, response.headers).end(body);
  }

  private noteToken(body: Buffer): void {
    const { expires_in } = JSON.parse(body.toString()) as { expires_in: number };
    this.tokenEndsAt = Date.now() + 1_000 * expires_in;
  }

  private upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const early = this.connectNotBefore - Date.now();
    if (early > TOLERANCE_MS) this.violations.push(`It came ${early} ms before the stopping server had asked for it.`);
    this.connectNotBefore = 0;
    const server = new WebSocket(`ws://${this.target.host}${incoming.url}`);
    const refuse = (status: number): void => {
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    };
    server.on('unexpected-response', (_, response) => refuse(response.statusCode!));
    server.on('error', () => socket.destroy());
    socket.on('close', () => server.terminate());
    server.once('open', () => {
      server.pause();
      this.webSockets.handleUpgrade(incoming, socket, head, (client) => this.join(client, server));
    });
  }

  private join(client: WebSocket, server: WebSocket): void {
    const pair: Pair = { client, server, isSilent: false, delayed: [] };
    this.pairs.add(pair);
    client.on('message', (data: Buffer) => this.fromClient(pair, data.toString()));
    server.on('message', (data: Buffer) => this.fromServer(pair, data.toString()));
    for (const end of [client, server]) end.on('error', () => undefined).on('close', () => this.part(pair));
    server.resume();
  }

  private part(pair: Pair): void {
    if (!this.pairs.delete(pair)) return;
    if (pair.drainMs !== undefined) this.connectNotBefore = Date.now() + pair.drainMs;
    pair.client.close();
    pair.server.close();
  }

  private cutPair({ client, server }: Pair): void {
    client.terminate();
    server.terminate();
  }

  private fromClient(pair: Pair, frame: string): void {
    const [, id, json] = COMMAND.exec(frame) ?? [];
    if (id === undefined) return pair.server.send(frame);
    const [command, payload] = JSON.parse(json!) as [string, Try['payload']];
    this.noteTry({ command, payload });
    if (this.faults.some((one) => one.kind === 'delay_answer' && one.command === command)) pair.delayedAck ??= id;
    const fault = this.take(
      (one) =>
        one.kind !== 'delay_answer' &&
        'command' in one &&
        one.command === command &&
        (one.text === undefined || one.text === payload.text),
    );
    if (fault?.kind === 'cut_before_commit') return this.cutPair(pair);
    if (fault?.kind === 'refuse') return this.refuse(pair, id, { command, payload }, fault.error);
    if (fault?.kind === 'cut_after_commit' || fault?.kind === 'lose_answer') {
      // The event of the command comes before its ack.
      pair.isSilent = true;
      if (fault.kind === 'cut_after_commit') pair.cutAt = id;
    }
    pair.server.send(frame);
  }

  private refuse(pair: Pair, id: string, one: Try, error: Refusal): void {
    this.notBefore.set(keyOf(one), Date.now() + (error.retry_after_ms ?? 0));
    pair.client.send(`43${id}${JSON.stringify([{ ok: false, error }])}`);
  }

  private noteTry(one: Try): void {
    this.tries.push(one);
    const early = (this.notBefore.get(keyOf(one)) ?? 0) - Date.now();
    if (early > TOLERANCE_MS) this.violations.push(`${one.command} came again ${early} ms before retry_after_ms.`);
  }

  private fromServer(pair: Pair, frame: string): void {
    const [, acked] = ACK.exec(frame) ?? [];
    if (acked !== undefined && acked === pair.cutAt) return this.cutPair(pair);
    if (pair.isSilent) return;
    if (acked !== undefined && acked === pair.delayedAck) return this.delay(pair, frame);
    const [, json] = EVENT.exec(frame) ?? [];
    const [event, payload] = json === undefined ? [] : (JSON.parse(json) as [string, { reconnect_in_ms?: number }?]);
    if (event === 'server:draining') pair.drainMs = payload!.reconnect_in_ms;
    const fault = this.take((one) => 'event' in one && one.event === event);
    if (fault?.kind === 'lose_event') return;
    if (fault?.kind === 'delay_event') return void pair.delayed.push(frame);
    for (const passed of [frame, ...(fault?.kind === 'repeat_event' ? [frame] : [])]) pair.client.send(passed);
    if (event !== undefined) for (const passed of pair.delayed.splice(0)) pair.client.send(passed);
  }

  private delay(pair: Pair, ack: string): void {
    pair.delayed.push(ack);
    this.take(({ kind }) => kind === 'delay_answer');
  }

  /** The first fault that fits happens now. */
  private take(fits: (fault: Fault) => boolean): Fault | undefined {
    const fault = this.faults.find(fits);
    if (!fault) return undefined;
    fault.times -= 1;
    if (fault.times === 0) this.faults = this.faults.filter((one) => one !== fault);
    this.onFault();
    return fault;
  }
}

const keyOf = ({ command, payload }: Try): string =>
  `${command} ${payload.client_message_id ?? payload.message_id ?? ''}`;
