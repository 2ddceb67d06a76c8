import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { build } from 'esbuild';

const html = (body: string): string => `<!doctype html><html><meta charset="utf-8">${body}</html>`;

/** The pages: `/` has a client, `/denied` has it in a frame that may store nothing. */
const PAGES: Readonly<Record<string, string>> = {
  '/': html('<script type="module" src="/page.js"></script>'),
  '/denied': html('<iframe sandbox="allow-scripts" src="/"></iframe>'),
};

/** A server for the pages of the specs, of another origin than the application. */
export class PageServer {
  private readonly halts = new EventEmitter();

  private constructor(
    private readonly server: Server,
    private readonly script: Uint8Array,
  ) {
    server.on('request', (request, response) => this.answer(request, response));
  }

  static async start(): Promise<PageServer> {
    const { outputFiles } = await build({
      entryPoints: ['clients/typescript/test/browser/page.ts'],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      write: false,
      logLevel: 'error',
    });
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PageServer(server, outputFiles[0]!.contents);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  /** Resolves when the next page has halted. */
  async halted(): Promise<void> {
    await once(this.halts, 'halted');
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer({ url = '/' }: IncomingMessage, response: ServerResponse): void {
    if (url === '/halt') return void this.halts.emit('halted');
    // A frame without an origin loads the script, too.
    const headers = {
      'Content-Type': url === '/page.js' ? 'text/javascript' : 'text/html',
      'Access-Control-Allow-Origin': '*',
    };
    response
      .writeHead(url === '/page.js' || url in PAGES ? 200 : 404, headers)
      .end(url === '/page.js' ? this.script : PAGES[url]);
  }
}
