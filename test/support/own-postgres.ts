import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { TcpProxy } from './tcp-proxy.js';

/** A PostgreSQL of one's own, behind a proxy whose address outlives it: to be stopped, killed and started again. */
export class OwnPostgres {
  private constructor(
    private readonly folder: string,
    private server: EmbeddedPostgres,
    readonly proxy: TcpProxy,
  ) {}

  static async start(): Promise<OwnPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'windi-own-'));
    const server = await EmbeddedPostgres.start(folder);
    return new OwnPostgres(folder, server, await TcpProxy.before(server.url));
  }

  /** By way of the proxy. */
  get url(): string {
    return this.proxy.url;
  }

  /** Straight to the server, as it is now. */
  get directUrl(): string {
    return this.server.url;
  }

  /** Stops the server and all its connections' processes where they are: nothing answers, nothing is refused. */
  freeze(): void {
    signalFamily(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    signalFamily(this.pid, 'SIGCONT');
  }

  /** kill -9, of the server and all its processes. */
  async kill(): Promise<void> {
    signalFamily(this.pid, 'SIGKILL');
    await this.server.stop();
  }

  /** Starts it again on its data. */
  async restart(): Promise<void> {
    this.server = await EmbeddedPostgres.start(this.folder);
    this.proxy.retarget(this.server.url);
  }

  async close(): Promise<void> {
    this.proxy.close();
    this.thaw();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get pid(): number {
    return Number(readFileSync(join(this.folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
  }
}

/** Each process of PostgreSQL leads a group of its own, so they are named one by one; a stopped parent makes no more of them. */
function signalFamily(pid: number, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  if (signal !== 'SIGCONT') signalTo(pid, 'SIGSTOP');
  for (const one of [...childrenOf(pid), pid]) signalTo(one, signal);
}

/** What has just ended needs no signal. */
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
    return []; // It has ended.
  }
}
