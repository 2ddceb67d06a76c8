import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Status } from './scenario.js';

/** A message as the client under test shows it. */
export interface ShownMessage {
  key: string;
  id: number | null;
  seq: number | null;
  sender_id: number;
  text: string | null;
  status: Status;
  error: string | null;
  reply_to_id: number | null;
  edited_at: string | null;
  deleted_at: string | null;
  change: { kind: 'edit' | 'delete'; status: 'sending' | 'failed'; error: string | null } | null;
}

/** A chat as the client under test shows it. */
export interface ShownChat {
  id: number;
  type: string;
  name: string;
  my_role: string;
  member_count: number;
  last_seq: number;
  last_read_seq: number;
  unread_count: number;
  messages: ShownMessage[];
}

/** What the client under test shows. */
export interface State {
  version: number;
  user_id: number | null;
  is_connected: boolean;
  is_synced: boolean;
  chats: ShownChat[];
}

const TIMEOUT_MS = 30_000;

/** The client under test: a program that serves the HTTP API of README.md. */
export class Program {
  private static readonly running = new Set<Program>();
  output = '';
  private url = '';
  private readonly ended: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    Program.running.add(this);
    this.ended = once(child, 'exit').then(() => Program.running.delete(this));
    child.stderr!.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Resolves when the program has printed its address. */
  static async start(command: string): Promise<Program> {
    // A group of its own, so that a kill reaches what the command starts.
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const program = new Program(child);
    const line = once(createInterface({ input: child.stdout }), 'line', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const early = program.ended.then(() => Promise.reject(new Error(`The program has ended:\n${program.output}`)));
    early.catch(() => undefined);
    const [address] = (await Promise.race([line, early])) as [string];
    program.url = address;
    return program;
  }

  static killAll(): void {
    for (const program of Program.running) program.signal();
  }

  /** Kills it with SIGKILL, wherever it is. */
  async kill(): Promise<void> {
    this.signal();
    await this.ended;
  }

  /** Asks it to do something. @throws Error when it is refused */
  async do<T>(what: string, body: object): Promise<T> {
    const response = await fetch(`${this.url}/${what}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${what}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** What it shows, as soon as that is another version than this one. */
  async state(after = -1): Promise<State> {
    const response = await fetch(`${this.url}/state?after=${after}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`state: ${response.status} ${await response.text()}`);
    return (await response.json()) as State;
  }

  private signal(): void {
    try {
      process.kill(-this.child.pid!, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}
