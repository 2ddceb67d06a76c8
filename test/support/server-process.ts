import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const MAIN = resolve('dist/src/main.js');
/** Compares all that the process sends with the documents. */
const CHECK = pathToFileURL(resolve('test/wire/check-child.js')).href;
const TIMEOUT_MS = 60_000;

/** Runs `work` in a temporary folder that only its owner can read, as of `mktemp -d`, and deletes the folder. */
export async function inTemporaryFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'windi-start-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The built application as a separate process, the way `npm start` runs it. */
export class ServerProcess {
  private static readonly running = new Set<ServerProcess>();
  output = '';
  private readonly exited: Promise<number | null>;

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr!.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    ServerProcess.running.add(this);
    this.exited = once(child, 'close').then(([code]) => {
      ServerProcess.running.delete(this);
      return code as number | null;
    });
  }

  /** Starts the application, or another compiled program, in `cwd` with only these variables set. */
  static start(cwd: string, env: Record<string, string> = {}, program = MAIN): ServerProcess {
    // Outside of jest nobody reads the notes.
    const { PATH, WIRE_LOG } = process.env;
    const child = spawn(process.execPath, [...(WIRE_LOG ? ['--import', CHECK] : []), program], {
      cwd,
      env: { PATH, PORT: '0', ...(WIRE_LOG && { WIRE_LOG }), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ServerProcess(child);
  }

  /** Kills all running processes with SIGKILL: for a test process that is about to exit. */
  static killAll(): void {
    for (const { child } of ServerProcess.running) child.kill('SIGKILL');
  }

  /** Stops the processes that a failed test has left running. */
  static async stopAll(): Promise<void> {
    await Promise.all([...ServerProcess.running].map((server) => server.stop('SIGTERM')));
  }

  /** The address, once the process has printed that it listens. */
  async url(): Promise<string> {
    const match = await this.until(/WinDI Chat is at (\S+)/);
    return match[1]!;
  }

  /** Resolves when the output matches. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const streams = [this.child.stdout!, this.child.stderr!];
    let stop = (): void => undefined;
    const matched = new Promise<RegExpExecArray>((resolvePromise, reject) => {
      const fail = (why: string): void => reject(new Error(`${why}; wanted ${pattern}, printed:\n${this.output}`));
      const timer = setTimeout(() => fail('timed out'), TIMEOUT_MS);
      const check = (): void => {
        const match = pattern.exec(this.output);
        if (match) resolvePromise(match);
      };
      stop = () => {
        clearTimeout(timer);
        for (const stream of streams) stream.off('data', check);
      };
      for (const stream of streams) stream.on('data', check);
      void this.exited.then((code) => {
        check();
        fail(`ended with ${code}`);
      });
      check();
    });
    return matched.finally(stop);
  }

  /** Resolves with the exit code; null when a signal ended the process. */
  exitCode(): Promise<number | null> {
    return this.exited;
  }

  /** Suspends the process (SIGSTOP) until `resume`. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** Sends a signal that doesn't end the process. */
  sendSignal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Sends a signal and waits until the process has ended. */
  async stop(name: NodeJS.Signals): Promise<number | null> {
    this.child.kill(name);
    return this.exited;
  }
}
