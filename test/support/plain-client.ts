import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';

const TIMEOUT_MS = 10_000;

/** A client of the plain WebSocket, without Socket.IO. Records every received frame, in order, and the close code. */
export class PlainClient {
  readonly received: any[] = [];
  /** Resolves with the code of the close frame and its reason. */
  readonly closed: Promise<[code: number, reason: string]>;
  private readonly frames = new EventEmitter().setMaxListeners(0);

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      this.received.push(JSON.parse((data as Buffer).toString()));
      this.frames.emit('frame');
    });
    socket.on('error', () => undefined);
    this.closed = once(socket, 'close').then(([code, reason]) => [code as number, (reason as Buffer).toString()]);
  }

  /** Connects; `path` is the path of the URL with its query. */
  static async open(url: string, path: string, options: ClientOptions = {}): Promise<PlainClient> {
    const socket = new WebSocket(url.replace(/^http/, 'ws') + path, options);
    const client = new PlainClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** Sends an object as JSON, and text or bytes unchanged. */
  send(frame: object | string): void {
    this.socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  /** Resolves with the first frame for which `fits` is true, already received or not. */
  async next(fits: (frame: any) => boolean): Promise<any> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    while (!this.received.some(fits)) {
      await once(this.frames, 'frame', { signal }).catch(() => {
        const last = JSON.stringify(this.received.slice(-20));
        throw new Error(`not among the ${this.received.length} frames received, the last of which are ${last}`);
      });
    }
    return this.received.find(fits);
  }

  /** Resolves with the first frame of this type. */
  nextOf(type: string): Promise<any> {
    return this.next((frame) => frame.type === type);
  }

  /** Pings. Resolves when the server has handled everything sent so far: it answers a ping in its turn. */
  async ping(): Promise<void> {
    const pongs = (): number => this.received.filter(({ type }) => type === 'pong').length;
    const before = pongs();
    this.send({ type: 'ping' });
    await this.next(() => pongs() > before);
  }
}

/** Opens a WebSocket whose upgrade must be refused. Returns the status, content type and body of the answer. */
export async function refusedUpgrade(url: string, path: string, options: ClientOptions = {}) {
  const socket = new WebSocket(url.replace(/^http/, 'ws') + path, options);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, type: response.headers['content-type'], body };
}
