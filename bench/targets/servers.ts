import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadPlan, LoadResult } from '../load/load-plan.js';
import { RunProblem } from '../load/send-run.js';

const START_TIMEOUT_MS = 30_000;

/** The path of a compiled program, relative to this file. */
const compiled = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const SERVER_NAMES = ['ours', 'bare', 'baseline'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** A server in a separate process, on a free port of the loopback interface. */
export class Server {
  private static readonly running = new Set<ChildProcess>();

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    /** The URL of the inspector, if the server was started with `--inspect`. */
    readonly inspectorUrl: string | undefined,
  ) {}

  /** Starts a program that prints its address in a line. `flags` are flags of Node. */
  static async start(program: string, env: Record<string, string>, cwd: string, flags: string[] = []): Promise<Server> {
    const child = spawn(process.execPath, [...flags, program], {
      cwd,
      env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    Server.running.add(child);
    child.once('exit', () => Server.running.delete(child));
    let output = '';
    const port = await new Promise<number>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${program} ${why}:\n${output}`));
      const timer = setTimeout(() => fail('does not start'), START_TIMEOUT_MS);
      const take = (chunk: Buffer): void => {
        output += chunk.toString();
        const match = / is at http:\/\/localhost:(\d+)/.exec(output);
        if (!match) return;
        clearTimeout(timer);
        // From here on what it prints is read and dropped.
        for (const stream of [child.stdout, child.stderr]) stream.off('data', take).resume();
        resolve(Number(match[1]));
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.once('exit', (code) => fail(`ended with ${code}`));
    });
    return new Server(child, port, /Debugger listening on (ws:\S+)/.exec(output)?.[1]);
  }

  /** Kills the processes that a failed run has left. */
  static killAll(): void {
    for (const child of Server.running) child.kill('SIGKILL');
  }

  get pid(): number {
    return this.child.pid!;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await exited;
  }
}

export const PROGRAMS: Record<Exclude<ServerName, 'ours'> | 'port', string> = {
  port: compiled('./bare/port.js'),
  bare: compiled('./bare/server.js'),
  baseline: compiled('./baseline/main.js'),
};

/** The load generator in a separate process. */
export class LoadGenerator {
  private readonly child = fork(compiled('../load/load.js'), { serialization: 'advanced' });

  /** Executes a plan. @throws RunProblem when the run isn't exact */
  async carryOut<K extends LoadPlan['kind']>(
    plan: Extract<LoadPlan, { kind: K }>,
  ): Promise<Extract<LoadResult, { kind: K }>> {
    this.child.send(plan);
    const result = await new Promise<LoadResult>((resolve, reject) => {
      this.child.once('message', resolve).once('exit', () => reject(new Error('The load generator has ended.')));
    });
    this.child.removeAllListeners();
    if (result.kind === 'failure') throw new RunProblem(result.problems);
    return result as Extract<LoadResult, { kind: K }>;
  }

  stop(): void {
    if (this.child.connected) this.child.disconnect();
  }
}
