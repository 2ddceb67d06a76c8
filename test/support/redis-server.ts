import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A separate Redis on a free port, without persistence, that a test may pause, kill and restart. */
export class RedisServer {
  private constructor(
    readonly port: number,
    private readonly dir: string,
    private child: ChildProcess,
  ) {}

  static async start(): Promise<RedisServer> {
    const dir = await mkdtemp(join(tmpdir(), 'windi-redis-'));
    const port = await freePort();
    return new RedisServer(port, dir, await launch(port, dir));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Suspends Redis (SIGSTOP): it is unresponsive, and connections stay open. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** kill -9: all connections break. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  /** Starts Redis again on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    this.child = await launch(this.port, this.dir);
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true });
  }
}

async function launch(port: number, dir: string): Promise<ChildProcess> {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = (): unknown => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  for await (const line of createInterface(child.stdout)) {
    if (line.includes('Ready to accept connections')) {
      child.stdout.resume();
      return child;
    }
  }
  throw new Error('redis-server did not start');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
