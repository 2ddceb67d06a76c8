import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';

const TIMEOUT_MS = 10_000;

/** A client with nothing but WebSocket: keeps every frame it hears, in order, and how it was closed. */
export class PlainClient {
  readonly heard: any[] = [];
  /** Resolves with the code of the close frame and its reason. */
  readonly closed: Promise<[code: number, reason: string]>;
  private readonly news = new EventEmitter().setMaxListeners(0);

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      this.heard.push(JSON.parse((data as Buffer).toString()));
      this.news.emit('frame');
    });
    socket.on('error', () => undefined);
    this.closed = once(socket, 'close').then(([code, reason]) => [code as number, (reason as Buffer).toString()]);
  }

  /** Connects; `path` is that of the URL, with its query. */
  static async open(url: string, path: string, options: ClientOptions = {}): Promise<PlainClient> {
    const socket = new WebSocket(url.replace(/^http/, 'ws') + path, options);
    const client = new PlainClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** Sends an object as JSON, a text or bytes as they are. */
  send(frame: object | string): void {
    this.socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  /** The first frame that fits, heard already or to come. */
  async next(fits: (frame: any) => boolean): Promise<any> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    while (!this.heard.some(fits)) {
      await once(this.news, 'frame', { signal }).catch(() => {
        const last = JSON.stringify(this.heard.slice(-20));
        throw new Error(`not among the ${this.heard.length} frames heard, of which the last are ${last}`);
      });
    }
    return this.heard.find(fits);
  }

  /** The next frame of this type. */
  nextOf(type: string): Promise<any> {
    return this.next((frame) => frame.type === type);
  }

  /** Resolves when everything sent so far has been taken in by the server: a ping is answered in its turn. */
  async pong(): Promise<void> {
    const pongs = (): number => this.heard.filter(({ type }) => type === 'pong').length;
    const before = pongs();
    this.send({ type: 'ping' });
    await this.next(() => pongs() > before);
  }
}

/** What an upgrade that is refused is answered: the status and the body. */
export async function refusedUpgrade(url: string, path: string, options: ClientOptions = {}) {
  const socket = new WebSocket(url.replace(/^http/, 'ws') + path, options);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, type: response.headers['content-type'], body };
}
