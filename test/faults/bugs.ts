import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import type { BugName } from './bug-overrides.js';
import { DELIVERY_MS } from './delivery-rules.js';
import { type Plan, run } from './run.js';

/** A run with a bug, and the rules that find it: at least one of them must report a violation. */
interface Bug {
  readonly rules: readonly string[];
  readonly plan?: Partial<Plan>;
  /** The nodes run without Redis. */
  readonly withoutRedis?: true;
}

const DROPPED_RESPONSES = { kinds: ['drop the responses of a node'] } as const;
const CRASHES = { kinds: ['kill -9 PostgreSQL'] } as const;
const NO_FAULTS = { kinds: [], durationMs: 5_000 } as const;
/** Waits at the end until an unpublished message is overdue. */
const NO_FAULTS_AND_WAIT = { ...NO_FAULTS, finalWaitMs: DELIVERY_MS } as const;

const BUGS: Readonly<Record<BugName | 'clients that do not sync', Bug>> = {
  'ack before commit': { plan: CRASHES, rules: ['acked messages are stored', 'a replay returns the original'] },
  'publish before commit': { plan: CRASHES, rules: ['no phantom messages'] },
  'stores half of a batch': { plan: NO_FAULTS, rules: ['acked messages are stored'] },
  'no deduplication': { plan: DROPPED_RESPONSES, rules: ['a replay returns the original', 'no phantom messages'] },
  'deduplicates only within a node': {
    plan: DROPPED_RESPONSES,
    rules: ['a replay returns the original', 'no phantom messages'],
  },
  'new seq on replay': {
    plan: DROPPED_RESPONSES,
    rules: ['a replay returns the original', 'acked messages are stored'],
  },
  'membership not rechecked': { plan: NO_FAULTS, rules: ['only members write'] },
  'poller off': { plan: NO_FAULTS_AND_WAIT, withoutRedis: true, rules: ['delivered within 6 s'] },
  'sync by id': {
    plan: { kinds: ['disconnect the clients of a node'] },
    rules: ['complete at the end', 'delivered after a fault'],
  },
  'publishes to removed members': { plan: NO_FAULTS, rules: ['only members receive'] },
  'publishes in any order': { plan: NO_FAULTS, rules: ['events in order'] },
  'loses events': { plan: NO_FAULTS_AND_WAIT, rules: ['delivered within 6 s'] },
  'loses edits': { plan: NO_FAULTS_AND_WAIT, rules: ['delivered within 6 s'] },
  'sync without edits': { plan: { kinds: ['disconnect the clients of a node'] }, rules: ['complete at the end'] },
  'read cursors go back': { plan: NO_FAULTS, rules: ['read cursors never go back'] },
  'clients that do not sync': {
    plan: { kinds: ['disconnect the clients of a node'], clientsDoNotSync: true },
    rules: ['complete at the end'],
  },
};

const PROGRAM = fileURLToPath(new URL('./buggy-node.js', import.meta.url));

/** How many clusters run at once. Each of them mostly waits. */
const CLUSTERS_AT_ONCE = 2;

/** How many runs a bug has to be found in one of. */
const MOST_RUNS = 3;

/** Runs a cluster with each of the bugs, or with the named one. Returns whether the checker found all. */
export async function findBugs(seed: number, only: string | undefined): Promise<boolean> {
  const limit = pLimit(CLUSTERS_AT_ONCE);
  const bugs = Object.entries(BUGS).filter(([name]) => only === undefined || only === name);
  const found = await Promise.all(bugs.map(([name, bug]) => limit(() => isBugFound(seed, name, bug))));
  const missed = bugs.filter((_, index) => !found[index]).map(([name]) => name);
  if (missed.length > 0) console.error(`The checker does not find: ${missed.join(', ')}.`);
  return missed.length === 0;
}

/** A bug shows only when the load happens to meet it, so a run that doesn't find it is followed by another one. */
async function isBugFound(seed: number, name: string, bug: Bug): Promise<boolean> {
  for (let run = 0; run < MOST_RUNS; run += 1) if (await isFoundInRun(seed + run, name, bug)) return true;
  return false;
}

async function isFoundInRun(seed: number, name: string, { plan, rules, withoutRedis }: Bug): Promise<boolean> {
  const env: Record<string, string> = { FAULTS_BUG: name, ...(withoutRedis && { REDIS_URL: '' }) };
  const program = plan?.clientsDoNotSync ? undefined : { program: PROGRAM, env };
  const { verdict } = await run({ seed, durationMs: 8_000, pauseMs: 1_500, finalWaitMs: 0, program, ...plan });
  const broken = [...new Set(verdict.violations.map(({ rule }) => rule))];
  const isFound = broken.some((rule) => rules.includes(rule));
  console.log(`${isFound ? 'found ' : 'MISSED'}  ${name}: ${broken.join(', ') || 'nothing'}`);
  return isFound;
}
