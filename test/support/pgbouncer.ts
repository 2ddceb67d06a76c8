import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killed, serving } from './child-server.js';
import { describeWith } from './describe-with.js';
import { freePort } from '../../src/common/free-port.js';

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
    await serving(child, child.stderr, 'process up');
    const url = new URL(databaseUrl);
    url.port = String(port);
    return new PgBouncer(url.href, folder, child);
  }

  async stop(): Promise<void> {
    await killed(this.child);
    await rm(this.folder, { recursive: true, force: true });
  }
}
