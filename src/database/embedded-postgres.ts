import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { platform } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { StartupError } from '../common/errors/startup-error.js';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';

const SUPERUSER = 'windi';
const DATABASE = 'windi';
/** Held for as long as an application uses the server, so that a second one can tell a neighbour from an orphan. */
const OWNER_LOCK = 0x77696e64;
const START_TIMEOUT_MS = 30_000;
const REFUSAL_PATIENCE_MS = 3_000;

/**
 * A real PostgreSQL 18 as a child process, its data kept in `<dataDir>/postgres` between runs, listening on a free
 * port of the loopback interface and on nothing else.
 */
export class EmbeddedPostgres {
  private child: ChildProcess | undefined;
  private owner: Client | undefined;
  private readonly directory: string;

  private constructor(
    private readonly binaries: PostgresBinaries,
    dataDir: string,
    private readonly serverFlags: readonly string[],
  ) {
    this.directory = resolve(dataDir, 'postgres');
  }

  /**
   * Starts the server, creating its data on the first start and taking over after a crash. `serverFlags` go to the server as they are.
   * @throws StartupError when another process uses the folder, or the server can't start.
   */
  static async start(dataDir: string, serverFlags: readonly string[] = []): Promise<EmbeddedPostgres> {
    const server = new EmbeddedPostgres(findPostgresBinaries(), dataDir, serverFlags);
    server.prepareDirectory();
    await server.clearLeftovers();
    if (!existsSync(join(server.directory, 'PG_VERSION'))) await server.initialise();
    await server.launch();
    return server;
  }

  /** Where it listens, for `DATABASE_URL`. */
  get url(): string {
    return urlOf(this.readPidFile()!.port, DATABASE);
  }

  /** Ends it in PostgreSQL's "fast" mode: sessions are cut, everything committed is safe. */
  async stop(): Promise<void> {
    await this.owner?.end().catch(() => undefined);
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    await exited;
  }

  private prepareDirectory(): void {
    const { identity } = this.binaries;
    try {
      mkdirSync(this.directory, { recursive: true });
      if (identity) chownSync(this.directory, identity.uid, identity.gid);
      if (platform() !== 'win32') chmodSync(this.directory, 0o700);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new StartupError(`The data folder ${this.directory} can't be used by this user (${code}): set DATA_DIR.`);
    }
  }

  /** How and as whom the programs run. Detached: the Ctrl-C of a terminal must reach only the application, which stops the server last. */
  private get spawnOptions(): { cwd: string; uid?: number; gid?: number; detached: boolean } {
    return { cwd: this.directory, ...this.binaries.identity, detached: true };
  }

  /**
   * The data folder as the server names it. The user `postgres` may be unable to walk down to it (a checkout below a
   * directory of mode 0700), but the working directory, entered as root before the user is changed, is reached through
   * /proc whatever lies above it.
   */
  private get pgdata(): string {
    return this.binaries.identity && platform() === 'linux' ? '/proc/self/cwd' : this.directory;
  }

  private async initialise(): Promise<void> {
    const flags = [
      '-D',
      this.pgdata,
      '-U',
      SUPERUSER,
      '--auth=trust',
      '-E',
      'UTF8',
      '--no-locale',
      '--no-instructions',
    ];
    const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    try {
      await promisify(execFile)(this.binaries.initdb, [...flags, ...locale], this.spawnOptions);
    } catch (error) {
      const lines = String((error as { stderr?: string }).stderr ?? error)
        .trim()
        .split('\n');
      throw new StartupError(`PostgreSQL can't make its data folder ${this.directory}: ${lines.at(-1)}`);
    }
  }

  /** After a kill −9 a stale postmaster.pid, or the server itself without its application, may be left. */
  private async clearLeftovers(): Promise<void> {
    const left = this.readPidFile();
    if (!left) return;
    if (isAlive(left.pid)) {
      const owner = await this.claimLeftServer(left.port);
      if (owner === 'taken') {
        throw new StartupError(
          `Another WinDI Chat is running on the data folder ${this.directory}: stop it, or set DATA_DIR.`,
        );
      }
      if (owner !== 'unreachable') {
        await owner.end();
        process.kill(left.pid, 'SIGINT');
        await until(
          () => !isAlive(left.pid),
          `The PostgreSQL left on ${this.directory} (process ${left.pid}) does not stop.`,
        );
      }
    }
    rmSync(join(this.directory, 'postmaster.pid'), { force: true });
  }

  /** A server that has just been started has a process before it has a port, so one refusal says nothing yet. */
  private async claimLeftServer(port: number): Promise<Client | 'taken' | 'unreachable'> {
    const deadline = Date.now() + REFUSAL_PATIENCE_MS;
    for (;;) {
      const owner = await claim(port);
      if (owner !== 'unreachable' || Date.now() > deadline) return owner;
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }

  private async launch(): Promise<void> {
    const port = await freePort();
    const socketFlags = platform() === 'win32' ? [] : ['-c', 'unix_socket_directories='];
    const flags = ['-D', this.pgdata, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', ...socketFlags];
    const child = spawn(this.binaries.postgres, [...flags, ...this.serverFlags], {
      ...this.spawnOptions,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child = child;
    // However this process ends, short of a kill −9, the server ends with it.
    const end = (): unknown => child.kill('SIGINT');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    let lastLine = '';
    child.stderr.on('data', (chunk: Buffer) => (lastLine = chunk.toString().trim().split('\n').at(-1)!));
    child.on('error', (error) => (lastLine = error.message));
    const ended = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    await until(async () => {
      if (ended()) throw new StartupError(`PostgreSQL does not start on ${this.directory}: ${lastLine}`);
      return accepts(port);
    }, `PostgreSQL on ${this.directory} does not answer.`);
    await this.takeOwnership(port);
  }

  private async takeOwnership(port: number): Promise<void> {
    const owner = await claim(port);
    if (typeof owner === 'string') throw new StartupError(`Another process uses the data folder ${this.directory}.`);
    owner.on('error', () => undefined); // The server was stopped; the pool's queries will say so.
    this.owner = owner;
    const { rowCount } = await owner.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await owner.query(`CREATE DATABASE ${DATABASE}`);
  }

  private readPidFile(): { pid: number; port: number } | undefined {
    try {
      const lines = readFileSync(join(this.directory, 'postmaster.pid'), 'utf8').split('\n');
      return { pid: Number(lines[0]), port: Number(lines[3]) };
    } catch {
      return undefined;
    }
  }
}

function urlOf(port: number, database: string): string {
  return `postgres://${SUPERUSER}@127.0.0.1:${port}/${database}`;
}

/** A connection that holds the owner's lock; `taken` when an application holds it, or the server can't tell. */
async function claim(port: number): Promise<Client | 'taken' | 'unreachable'> {
  const client = new Client({ connectionString: urlOf(port, 'postgres'), connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [OWNER_LOCK]);
    if (rows[0]!.locked) return client;
    await client.end();
    return 'taken';
  } catch (error) {
    await client.end().catch(() => undefined);
    // Whatever answers, or is silent, is there: only a refused connection says that no server is.
    return (error as { code?: string }).code === 'ECONNREFUSED' ? 'unreachable' : 'taken';
  }
}

async function accepts(port: number): Promise<boolean> {
  const client = new Client({ connectionString: urlOf(port, 'postgres'), connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function until(condition: () => boolean | Promise<boolean>, failure: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new StartupError(failure);
    await new Promise((wake) => setTimeout(wake, 30));
  }
}
