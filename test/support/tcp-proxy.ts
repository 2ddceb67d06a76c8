import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy that injects faults, like Toxiproxy: it can refuse connections, drop them, or drop responses. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private readonly pairs = new Map<Socket, Socket>();
  private open = true;
  private onRefused: () => void = () => undefined;

  private constructor(
    private readonly server: Server,
    private target: URL,
  ) {
    server.on('connection', (socket) => this.pass(socket));
  }

  static async inFrontOf(url: string): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, new URL(url));
  }

  /** The server's address through the proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.port = String((this.server.address() as { port: number }).port);
    return url.href;
  }

  /** The address without a path, for an HTTP server. */
  get origin(): string {
    return new URL(this.url).origin;
  }

  /** Sends new connections to this server from now on. */
  retarget(url: string): void {
    this.target = new URL(url);
  }

  /** Drops all connections, and refuses new ones until `unblock`. */
  block(): void {
    this.open = false;
    this.dropConnections();
  }

  /** Drops all connections. New ones are accepted. */
  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Drops everything the server sends on the current connections from now on. */
  dropResponses(): void {
    for (const [socket, onward] of this.pairs) onward.unpipe(socket);
  }

  unblock(): void {
    this.open = true;
  }

  /** Resolves when the blocked proxy has refused `count` more connections. */
  untilRefused(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.onRefused = () => (count -= 1) || resolve();
    });
  }

  close(): void {
    this.block();
    this.server.close();
  }

  private pass(socket: Socket): void {
    if (!this.open) {
      socket.destroy();
      this.onRefused();
      return;
    }
    const onward = connect(Number(this.target.port), this.target.hostname);
    this.pairs.set(socket, onward);
    socket.on('close', () => this.pairs.delete(socket));
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.sockets.add(from);
      from
        .on('error', () => undefined)
        .on('close', () => {
          this.sockets.delete(from);
          to.destroy();
        });
      from.pipe(to);
    }
  }
}
