import { ServerProcess } from '../test/support/server-process.js';

const ENV = { RATE_LIMIT: 'off', LOG_LEVEL: 'error', ACCESS_TOKEN_TTL: '10s' };

/** A server whose tokens soon expire, and that can be stopped and started again at its address, with its database. */
export class RestartableServer {
  private constructor(
    private readonly folder: string,
    private readonly env: Record<string, string>,
    private server: ServerProcess,
    readonly url: string,
  ) {}

  /** Starts a server with its data in `folder`, and with these variables besides its own. */
  static async start(folder: string, env: Record<string, string> = {}): Promise<RestartableServer> {
    const all = { ...ENV, ...env };
    const server = ServerProcess.start(folder, all);
    return new RestartableServer(folder, all, server, await server.url());
  }

  /** Resolves when the server listens again. */
  async restart(): Promise<void> {
    await this.stop();
    this.server = ServerProcess.start(this.folder, { ...this.env, PORT: new URL(this.url).port });
    await this.server.url();
  }

  /** Lets the server drain. Resolves when it has ended. */
  async stop(): Promise<void> {
    await this.server.stop('SIGTERM');
  }
}
