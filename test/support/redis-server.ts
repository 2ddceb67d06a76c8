import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killed, serving } from './child-server.js';
import { freePort } from '../../src/common/free-port.js';

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
    await killed(this.child);
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
  await serving(child, child.stdout, 'Ready to accept connections');
  return child;
}
