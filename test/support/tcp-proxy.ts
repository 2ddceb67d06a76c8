import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy in front of a server: open it passes everything on, shut it cuts what is there and lets nobody in. */
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

  static async before(url: string): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, new URL(url));
  }

  /** The server's address by way of the proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.port = String((this.server.address() as { port: number }).port);
    return url.href;
  }

  /** The address without a path, for a server of HTTP. */
  get origin(): string {
    return new URL(this.url).origin;
  }

  /** From now on whoever comes is let through to this server. */
  retarget(url: string): void {
    this.target = new URL(url);
  }

  shut(): void {
    this.open = false;
    this.cut();
  }

  /** Cuts what is there; whoever comes again is let through. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** From now on what the server answers on the connections there are doesn't come through. */
  swallowAnswers(): void {
    for (const [socket, onward] of this.pairs) onward.unpipe(socket);
  }

  reopen(): void {
    this.open = true;
  }

  /** Resolves when the shut proxy has turned away so many more. */
  refuses(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.onRefused = () => (count -= 1) || resolve();
    });
  }

  close(): void {
    this.shut();
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
