import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The GET routes of a server as a later version may answer: with a field and an error code that no SDK knows yet. */
export class TomorrowProxy {
  private constructor(private readonly server: Server) {}

  /** Starts the proxy on a free port of this machine. */
  static async inFrontOf(url: string): Promise<TomorrowProxy> {
    const server = createServer(answerFor(url)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TomorrowProxy(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

const answerFor =
  (url: string): RequestListener =>
  (request, response) => {
    const headers = { Authorization: request.headers.authorization ?? '' };
    fetch(url + request.url!, { headers })
      .then(async (answer) => {
        const body = (await answer.json()) as Record<string, unknown>;
        const isProblem = 'code' in body;
        response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type')! });
        response.end(JSON.stringify({ ...body, a_later_field: 1, ...(isProblem && { code: 'code_of_tomorrow' }) }));
      })
      .catch((error: unknown) => response.destroy(error as Error));
  };
