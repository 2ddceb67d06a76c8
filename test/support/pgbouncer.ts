import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describeWith } from './describe-with.js';

// Debian puts it where only root looks.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

const version = spawnSync('pgbouncer', ['--version'], { env, encoding: 'utf8' });
const [, major = 0, minor = 0] = /^PgBouncer (\d+)\.(\d+)/.exec(version.stdout) ?? [];

/** `describe` for specs that need pgbouncer: they are skipped where it is missing. */
export const describeWithPgBouncer = describeWith(version.status === 0, 'pgbouncer on the PATH (Debian: pgbouncer)');

/** Whether it can prepare statements in transaction mode: from 1.21 on. */
export const preparesStatements = Number(major) * 1_000 + Number(minor) >= 1_021;

/** A PgBouncer in transaction mode on a free port, in front of a database. */
export class PgBouncer {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  /** `settings` are further lines of its configuration. */
  static async inFrontOf(databaseUrl: string, ...settings: string[]): Promise<PgBouncer> {
    const target = new URL(databaseUrl);
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'windi-pgbouncer-'));
    const file = join(folder, 'pgbouncer.ini');
    const lines = [
      '[databases]',
      `* = host=${target.hostname} port=${target.port} user=${target.username}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
      ...settings,
    ];
    await writeFile(file, lines.join('\n'));
    await chmod(folder, 0o755); // It refuses to run as root, so it runs as another user, who must read the file.
    const asUser = process.getuid?.() === 0 ? ['-u', 'postgres'] : [];
    const child = spawn('pgbouncer', [...asUser, file], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    await started(child);
    const url = new URL(databaseUrl);
    url.port = String(port);
    return new PgBouncer(url.href, folder, child);
  }

  async stop(): Promise<void> {
    if (this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
    await rm(this.folder, { recursive: true });
  }
}

/** Resolves when it serves. */
async function started(child: ChildProcess): Promise<void> {
  const end = (): unknown => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  const printed: string[] = [];
  for await (const line of createInterface(child.stderr!)) {
    printed.push(line);
    if (!line.includes('process up')) continue;
    child.stderr!.resume();
    return;
  }
  throw new Error(`pgbouncer did not start:\n${printed.join('\n')}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
