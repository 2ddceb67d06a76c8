import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { TcpProxy } from './tcp-proxy.js';

/** A separate PostgreSQL that a test may pause, kill and restart. A TCP proxy keeps its address the same. */
export class OwnPostgres {
  private constructor(
    private readonly folder: string,
    private server: EmbeddedPostgres,
    readonly proxy: TcpProxy,
  ) {}

  static async start(): Promise<OwnPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'windi-own-'));
    const server = await EmbeddedPostgres.start(folder);
    return new OwnPostgres(folder, server, await TcpProxy.inFrontOf(server.url));
  }

  /** The address through the proxy. */
  get url(): string {
    return this.proxy.url;
  }

  /** The address of the current server, without the proxy. */
  get directUrl(): string {
    return this.server.url;
  }

  /** Suspends the server and all its processes (SIGSTOP): it is unresponsive, and connections stay open. */
  pause(): void {
    signalAllProcesses(this.pid, 'SIGSTOP');
  }

  resume(): void {
    signalAllProcesses(this.pid, 'SIGCONT');
  }

  /** kill -9 of the server and all its processes. */
  async kill(): Promise<void> {
    signalAllProcesses(this.pid, 'SIGKILL');
    await this.server.stop();
  }

  /** Starts the server again on the same data. */
  async restart(): Promise<void> {
    this.server = await EmbeddedPostgres.start(this.folder);
    this.proxy.retarget(this.server.url);
  }

  async close(): Promise<void> {
    this.proxy.close();
    this.resume();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get pid(): number {
    return Number(readFileSync(join(this.folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
  }
}

/** Signals each process, as each leads a process group of its own. The parent is stopped first, so it forks no more. */
function signalAllProcesses(pid: number, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  if (signal !== 'SIGCONT') signalTo(pid, 'SIGSTOP');
  for (const one of [...childrenOf(pid), pid]) signalTo(one, signal);
}

/** Ignores a process that has just ended. */
function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // The process has ended.
  }
}
