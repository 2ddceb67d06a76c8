import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../src/common/free-port.js';
import { checkDense, checkStored, type StoredMessage } from '../load/exactness.js';
import {
  keyOf,
  MESSAGE_TEXT,
  type PlannedSocket,
  type SendPlan,
  type SendResult,
  type WatchedProcesses,
} from '../load/load-plan.js';
import { RunProblem } from '../load/send-run.js';
import { type LoadGenerator, PROGRAMS, Server, type ServerName } from './servers.js';
import {
  fillOurs,
  fillBaseline,
  JWT_SECRET,
  tokenOf,
  withDatabase,
  type Dataset,
  type DatasetChat,
} from './dataset.js';

/** What all phases need. */
export interface BenchContext {
  /** The built application: a folder with `src/main.js` in it. */
  readonly dist: string;
  readonly folder: string;
  readonly databaseUrl: string;
  /** The process id of PostgreSQL. */
  readonly postgres: number;
  readonly generator: LoadGenerator;
  /** Flags of Node for every server. */
  readonly nodeFlags: readonly string[];
}

/** The environment variables of each server. The application runs as in production, but without rate limits. */
const ENVIRONMENTS: Record<
  ServerName,
  (databaseUrl: string, dataset: Dataset, metricsPort: number) => Record<string, string>
> = {
  ours: (DATABASE_URL, _, metricsPort) => ({
    DATABASE_URL,
    JWT_SECRET,
    LOG_LEVEL: 'warn',
    RATE_LIMIT: 'off',
    METRICS_PORT: String(metricsPort),
  }),
  bare: (_, { chats }) => ({
    CHATS: JSON.stringify(Object.fromEntries(chats.map((chat) => [chat.id, chat.memberIds]))),
  }),
  baseline: (DATABASE_URL) => ({ DATABASE_URL, JWT_SECRET }),
};

const FILL: Partial<Record<ServerName, typeof fillOurs>> = { ours: fillOurs, baseline: fillBaseline };

let serial = 0;

/** A server under test, with its own dataset and the messages it has acked. */
export class BenchTarget {
  private readonly acked: StoredMessage[] = [];
  private readonly heads = new Map<number, number>();
  private runs = 0;

  private constructor(
    readonly name: ServerName,
    readonly server: Server,
    readonly databaseUrl: string,
    /** Where the application serves `/metrics`. */
    readonly metricsPort: number,
    private readonly bench: BenchContext,
  ) {}

  static async start(
    name: ServerName,
    dataset: Dataset,
    bench: BenchContext,
    flags: string[] = [],
    env: Record<string, string> = {},
  ): Promise<BenchTarget> {
    const database = `${name}_${++serial}`;
    const url = new URL(bench.databaseUrl);
    url.pathname = `/${database}`;
    if (name !== 'bare') await withDatabase(bench.databaseUrl, (db) => db.query(`CREATE DATABASE ${database}`));
    const program = name === 'ours' ? join(bench.dist, 'src/main.js') : PROGRAMS[name];
    const cwd = await mkdtemp(join(bench.folder, 'cwd-'));
    const metricsPort = await freePort();
    const server = await Server.start(program, { ...ENVIRONMENTS[name](url.href, dataset, metricsPort), ...env }, cwd, [
      ...bench.nodeFlags,
      ...flags,
    ]);
    await FILL[name]?.(url.href, dataset);
    return new BenchTarget(name, server, url.href, metricsPort, bench);
  }

  get watched(): WatchedProcesses {
    return { server: this.server.pid, postgres: this.bench.postgres };
  }

  /** The `auth` payload of this user's handshake, as JSON. */
  authOf(userId: number): string {
    return JSON.stringify(this.name === 'bare' ? { user_id: userId } : { token: tokenOf(userId) });
  }

  /** Connects all members of the chats. `sends` selects the users who send. */
  async send(
    chats: readonly DatasetChat[],
    sends: (userId: number) => boolean,
    shape: Pick<SendPlan, 'inFlight' | 'warmUpMs' | 'windowMs' | 'halfLoadMs'>,
  ): Promise<SendResult> {
    const sockets = chats.flatMap(({ id, memberIds }) =>
      memberIds.map((userId): PlannedSocket => {
        return { auth: this.authOf(userId), chatId: id, sends: sends(userId) };
      }),
    );
    const run = `r${++this.runs}`;
    const { port } = this.server;
    const { watched, heads } = this;
    // The baseline may publish two messages in another order than their commits: it has nothing that prevents it.
    const ordered = this.name !== 'baseline';
    const result = await this.bench.generator
      .carryOut<'send'>({ kind: 'send', port, watched, run, sockets, heads, ordered, ...shape })
      .catch(this.rethrowNamed);
    for (const { socket, chatId, seqs } of result.acked) {
      seqs.forEach((seq, n) => this.acked.push({ chatId, key: keyOf(run, socket, n), seq }));
      heads.set(chatId, Math.max(heads.get(chatId) ?? 0, maximum(seqs)));
    }
    return result;
  }

  /** Opens a connection for each user and measures the seconds that takes. They stay open until `disconnect`. */
  async connect(userIds: readonly number[], window: number) {
    const auths = userIds.map((userId) => this.authOf(userId));
    const { port } = this.server;
    return this.bench.generator
      .carryOut<'connect'>({ kind: 'connect', port, watched: this.watched, auths, window })
      .catch(this.rethrowNamed);
  }

  /** Closes those connections. */
  async disconnect(): Promise<void> {
    await this.bench.generator.carryOut<'disconnect'>({ kind: 'disconnect' });
  }

  /** @throws RunProblem unless the database holds exactly what was acked */
  async checkStored(): Promise<void> {
    const problems = checkDense(this.acked);
    if (this.name !== 'bare') {
      const stored = await this.storedMessages();
      problems.push(...checkStored(this.acked, stored));
      const changed = stored.filter(({ text }) => text !== MESSAGE_TEXT).length;
      if (changed > 0) problems.push(`${changed} messages are stored with another text`);
    }
    if (problems.length > 0) this.rethrowNamed(new RunProblem(problems));
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  private async storedMessages(): Promise<(StoredMessage & { text: string })[]> {
    return withDatabase(this.databaseUrl, async (db) => {
      const { rows } = await db.query<StoredMessage & { text: string }>(
        'SELECT chat_id::int AS "chatId", client_message_id AS key, seq::int, text FROM messages',
      );
      return rows;
    });
  }

  private readonly rethrowNamed = (error: unknown): never => {
    if (error instanceof RunProblem) throw new RunProblem(error.problems.map((problem) => `${this.name}: ${problem}`));
    throw error;
  };
}

const maximum = (numbers: readonly number[]): number => numbers.reduce((max, next) => (next > max ? next : max), 0);
