import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { platform } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { StartupError } from '../common/errors/startup-error.js';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { freePort } from '../common/free-port.js';

const SUPERUSER = 'windi';
const DATABASE = 'windi';
/**
 * The key of the advisory lock that an application holds as long as it uses the server. It shows a second application
 * whether a server on the same folder is in use, or was left over by a killed application.
 */
const OWNER_LOCK = 0x77696e64;
/** How long a server may take to start, or a left-over one to stop, in milliseconds. */
const START_TIMEOUT_MS = 30_000;
/** How long a left-over server may refuse connections before it counts as unreachable, in milliseconds. */
const UNREACHABLE_AFTER_MS = 3_000;

/**
 * A real PostgreSQL 18 as a child process, for development without `DATABASE_URL`. It keeps its data in
 * `<dataDir>/postgres` between runs, and listens only on a free port of the loopback interface. `DatabaseModule` and
 * the programs in `src/commands/` start it.
 *
 * Invariant: at most one application uses a data folder. It holds the advisory lock `OWNER_LOCK` on the connection
 * `owner`.
 */
export class EmbeddedPostgres {
  private child: ChildProcess | undefined;
  private owner: Client | undefined;
  private readonly directory: string;
  /** Resolves when the server has ended, whoever ended it, with the last line that it printed. */
  ended: Promise<string>;

  private constructor(
    private readonly binaries: PostgresBinaries,
    dataDir: string,
    private readonly serverFlags: readonly string[],
    private readonly port: number,
  ) {
    this.directory = resolve(dataDir, 'postgres');
  }

  /**
   * Starts the server. It creates the data folder at the first start, and stops a server that a killed application has
   * left. `serverFlags` are passed to the server unchanged. Without a `port` it takes a free one.
   * @throws StartupError when another process uses the folder, or the server can't start.
   */
  static async start(dataDir: string, serverFlags: readonly string[] = [], port?: number): Promise<EmbeddedPostgres> {
    const server = new EmbeddedPostgres(findPostgresBinaries(), dataDir, serverFlags, port ?? (await freePort()));
    server.prepareDirectory();
    await server.clearLeftovers();
    if (!existsSync(join(server.directory, 'PG_VERSION'))) await server.initialise();
    try {
      await server.launch();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** The URL of the database, in the form of `DATABASE_URL`. */
  get url(): string {
    return urlOf(this.port, DATABASE);
  }

  /** Stops the server in PostgreSQL's "fast" mode: it ends the sessions, and everything committed is safe. */
  async stop(): Promise<void> {
    await this.owner?.end().catch(() => undefined);
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    await exited;
  }

  /** Makes the data folder, and gives it to the user that runs the server. */
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

  /**
   * The working directory and the user of the programs. They run detached, so that the Ctrl-C of a terminal reaches
   * only the application, which stops the server last.
   */
  private get spawnOptions(): { cwd: string; uid?: number; gid?: number; detached: boolean } {
    return { cwd: this.directory, ...this.binaries.identity, detached: true };
  }

  /**
   * The path of the data folder for the server. The user `postgres` may have no access to a directory above it (a
   * checkout below a directory of mode 0700). So root makes the folder the working directory before the user changes,
   * and the server reaches it through /proc, whatever lies above it.
   */
  private get pgdata(): string {
    return this.binaries.identity && platform() === 'linux' ? '/proc/self/cwd' : this.directory;
  }

  /** Creates the data in the empty folder. @throws StartupError with the last line of initdb */
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

  /**
   * Stops the server that a killed application (kill −9) has left. A postmaster.pid without a server is left to
   * PostgreSQL, which starts only when none of the old processes uses the data any more.
   * @throws StartupError when another application uses the server
   */
  private async clearLeftovers(): Promise<void> {
    const leftover = this.readPidFile();
    if (!leftover) return;
    if (isAlive(leftover.pid)) {
      const owner = await this.claimLeftoverServer(leftover.port);
      if (owner === 'taken') {
        throw new StartupError(
          `Another WinDI Chat is running on the data folder ${this.directory}: stop it, or set DATA_DIR.`,
        );
      }
      if (owner === 'unreachable') {
        // Another program has the number of the process. PostgreSQL would take it for a server.
        rmSync(join(this.directory, 'postmaster.pid'), { force: true });
      } else {
        await owner.end();
        process.kill(leftover.pid, 'SIGINT');
        await until(
          () => !isAlive(leftover.pid),
          `The PostgreSQL left on ${this.directory} (process ${leftover.pid}) does not stop.`,
        );
      }
    }
  }

  /** Tries for some seconds: a server that is just starting has a process before it accepts connections. */
  private async claimLeftoverServer(port: number): Promise<Client | 'taken' | 'unreachable'> {
    const deadline = Date.now() + UNREACHABLE_AFTER_MS;
    for (;;) {
      const owner = await claim(port);
      if (owner !== 'unreachable' || Date.now() > deadline) return owner;
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }

  /** Starts the server, waits until it accepts connections, and takes the owner's lock. @throws StartupError */
  private async launch(): Promise<void> {
    const { port } = this;
    const socketFlags = platform() === 'win32' ? [] : ['-c', 'unix_socket_directories='];
    const flags = ['-D', this.pgdata, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', ...socketFlags];
    const child = spawn(this.binaries.postgres, [...flags, ...this.serverFlags], {
      ...this.spawnOptions,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child = child;
    // The server ends with this process, unless that is killed with kill −9.
    const end = (): unknown => child.kill('SIGINT');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    let lastLine = '';
    child.stderr.on('data', (chunk: Buffer) => (lastLine = chunk.toString().trim().split('\n').at(-1)!));
    child.on('error', (error) => (lastLine = error.message));
    this.ended = new Promise((resolve) => child.once('close', () => resolve(lastLine)));
    const ended = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    await until(async () => {
      if (ended()) throw new StartupError(`PostgreSQL does not start on ${this.directory}: ${lastLine}`);
      return accepts(port);
    }, `PostgreSQL on ${this.directory} does not answer.`);
    await this.takeOwnership(port);
  }

  /** Takes the owner's lock, and creates the database at the first start. @throws StartupError */
  private async takeOwnership(port: number): Promise<void> {
    const owner = await claim(port);
    if (typeof owner === 'string') throw new StartupError(`Another process uses the data folder ${this.directory}.`);
    owner.on('error', () => undefined); // The server has stopped. The queries of the pool fail and report it.
    this.owner = owner;
    const { rowCount } = await owner.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await owner.query(`CREATE DATABASE ${DATABASE}`);
  }

  /**
   * The process and the port of the server that runs on the folder, or ran last; undefined if there is no
   * postmaster.pid.
   */
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

/**
 * A connection that holds the owner's lock. `taken`: another application holds it, or the server did not say.
 * `unreachable`: there is no server at this port.
 */
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
    // Only a refused connection proves that there is no server. After any other error, or no answer, there may be one.
    return (error as { code?: string }).code === 'ECONNREFUSED' ? 'unreachable' : 'taken';
  }
}

/** Whether the server accepts connections. */
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

/** Waits until the condition holds. @throws StartupError with the text `failure` after `START_TIMEOUT_MS` */
async function until(condition: () => boolean | Promise<boolean>, failure: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new StartupError(failure);
    await new Promise((wake) => setTimeout(wake, 30));
  }
}
