import { Agent, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** From the first byte sent to the last byte received. */
  readonly ms: number;
}

/** A REST client for one user, on one keep-alive connection. */
export class RestClient {
  private readonly agent: Agent;

  /** `localAddress` is the address to connect from. */
  constructor(
    private readonly port: number,
    private readonly token: string,
    localAddress?: string,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress });
  }

  get(path: string): Promise<Answer> {
    return this.ask('GET', path);
  }

  post(path: string, body: string): Promise<Answer> {
    return this.ask('POST', path, body);
  }

  close(): void {
    this.agent.destroy();
  }

  private async ask(method: string, path: string, body = ''): Promise<Answer> {
    const headers = {
      Authorization: `Bearer ${this.token}`,
      ...(body === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
    };
    const start = performance.now();
    const outgoing = request({ port: this.port, host: '127.0.0.1', method, path, headers, agent: this.agent });
    outgoing.end(body);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(incoming, 'end');
    const ms = performance.now() - start;
    return { status: incoming.statusCode!, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown, ms };
  }
}
