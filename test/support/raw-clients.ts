import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { request, type Answer } from './http.js';

/** A WebSocket to Socket.IO without the client library: it sends the packets that a test gives it, and records frames. */
export class RawSocket {
  readonly received: string[] = [];
  /** Resolves with the close code. */
  readonly closed: Promise<number>;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.received.push((data as Buffer).toString()));
    socket.on('error', () => undefined);
    this.closed = once(socket, 'close').then(([code]) => code as number);
  }

  /** Connects, and joins the namespace if there is a token. */
  static async open(url: string, token?: string, options: ClientOptions = {}): Promise<RawSocket> {
    const raw = new RawSocket(
      new WebSocket(`${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`, options),
    );
    await once(raw.socket, 'open');
    if (token !== undefined) {
      raw.send(`40${JSON.stringify({ token })}`);
      await raw.next('40');
    }
    return raw;
  }

  send(packet: string | Buffer): void {
    this.socket.send(packet);
  }

  /** Resolves with the first frame, already received or not, that starts with this text. */
  async next(start: string): Promise<string> {
    const find = (): string | undefined => this.received.find((frame) => frame.startsWith(start));
    while (find() === undefined) await once(this.socket, 'message');
    return find()!;
  }
}

/** A connection to Socket.IO by polling, without the client library. */
export class RawPolling {
  private constructor(
    private readonly url: string,
    private readonly path: string,
  ) {}

  static async open(url: string): Promise<RawPolling> {
    const path = '/socket.io/?EIO=4&transport=polling';
    const { body } = await request<string>(url, 'GET', path);
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    return new RawPolling(url, `${path}&sid=${sid}`);
  }

  /** Sends packets in one body. */
  post(...packets: string[]): Promise<Answer<unknown>> {
    const headers = { 'Content-Type': 'text/plain;charset=UTF-8' };
    return request(this.url, 'POST', this.path, { body: packets.join('\x1e'), headers });
  }

  /** Opens the WebSocket to which this connection would change. */
  async probe(): Promise<WebSocket> {
    const path = this.path.replace('transport=polling', 'transport=websocket');
    const socket = new WebSocket(this.url.replace(/^http/, 'ws') + path).on('error', () => undefined);
    await once(socket, 'open');
    return socket;
  }

  /** Waits for packets. The status is 400 when the connection is gone. */
  poll(): Promise<Answer<string>> {
    return request(this.url, 'GET', this.path);
  }

  /** Polls, and reads nothing of the answer but its head. */
  async pausedPoll(): Promise<IncomingMessage> {
    const [response] = (await once(get(this.url + this.path, { agent: false }), 'response')) as [IncomingMessage];
    return response.pause();
  }

  /** Polls until the connection is gone. Returns all packets. */
  async untilClosed(): Promise<string[]> {
    const packets: string[] = [];
    for (;;) {
      const { status, body } = await this.poll();
      if (status !== 200) return packets;
      packets.push(...body.split('\x1e'));
    }
  }
}
