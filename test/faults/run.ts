import { spawnSync } from 'node:child_process';
import '../../src/database/data-source-options.js'; // bigint as numbers.
import { onDatabase } from '../support/database.js';
import { check, type Verdict } from './checker.js';
import { Cluster, type NodeProgram, pause } from './cluster.js';
import { DELIVERY_MS } from './delivery-rules.js';
import { type FinalState, History, type Seen } from './history.js';
import { Load } from './load.js';
import { type FaultKind, type Recovery, schedule, injectFaults } from './nemesis.js';
import { Random } from './random.js';

const NODES = 3;
const DRAIN_MS = 30_000;

export interface Plan {
  readonly seed: number;
  readonly durationMs: number;
  readonly pauseMs: number;
  /** How long devices stay connected after the last message. By default until that message would be overdue. */
  readonly finalWaitMs?: number;
  readonly kinds?: readonly FaultKind[];
  readonly program?: NodeProgram;
  /** Clients that don't sync after a gap or a reconnect: a bug that the checker must find. */
  readonly clientsDoNotSync?: boolean;
}

export interface Run {
  readonly verdict: Verdict;
  readonly recoveries: readonly Recovery[];
  readonly history: History;
}

/** One run: a cluster, its load, its faults, and the verdict of the checker. Leaves nothing running. */
export async function run({
  seed,
  durationMs,
  pauseMs,
  finalWaitMs = DELIVERY_MS,
  kinds,
  program,
  clientsDoNotSync = false,
}: Plan): Promise<Run> {
  if (spawnSync('redis-server', ['--version']).status !== 0) {
    throw new Error('The faults need redis-server on the PATH (Debian: redis-server).');
  }
  const random = new Random(seed);
  const history = new History();
  const cluster = await Cluster.start(NODES, program);
  let load: Load | undefined;
  try {
    load = await Load.prepare(cluster, history, random.fork(), !clientsDoNotSync);
    const plan = schedule(random.fork(), NODES, kinds);
    load.start();
    const recoveries = await injectFaults(cluster, load, history, plan, { durationMs, pauseMs });
    await load.drain(DRAIN_MS);
    await pause(finalWaitMs);
    await load.readEverything();
    await load.stop();
    return { verdict: check(history.entries, await readFinal(cluster.postgres.directUrl)), recoveries, history };
  } finally {
    await load?.stop();
    await cluster.stop();
  }
}

async function readFinal(url: string): Promise<FinalState> {
  return onDatabase(url, async (db) => {
    const rows = async <T>(text: string): Promise<T[]> => (await db.query(text)).rows as T[];
    return {
      chats: await rows('SELECT id, last_seq AS "lastSeq" FROM chats'),
      members: await rows('SELECT chat_id AS chat, user_id AS "user", last_read_seq AS "lastRead" FROM chat_members'),
      messages: (
        await rows<Seen & { timestamp: string }>(
          `SELECT id, chat_id AS chat, seq, sender_id AS sender, client_message_id AS key, text, timestamp,
             change_seq AS "changeSeq", deleted_at IS NOT NULL AS deleted
           FROM messages ORDER BY chat_id, seq`,
        )
      ).map((row) => ({ ...row, timestamp: new Date(row.timestamp).toISOString() })),
    };
  });
}
