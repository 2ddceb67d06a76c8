import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import type { BugName } from './bug-overrides.js';
import { LIVE_MS } from './delivery-rules.js';
import { type Plan, run } from './run.js';

/** A run with a bug in it, and the rules of which one at the least has to find it. */
interface Bug {
  readonly found: readonly string[];
  readonly plan?: Partial<Plan>;
  /** Without Redis. */
  readonly alone?: true;
}

const LOST_ACKS = { kinds: ['lose the answers of a node'] } as const;
const CRASHES = { kinds: ['kill -9 PostgreSQL'] } as const;
const CALM = { kinds: [], forMs: 5_000 } as const;
/** Until what was not told is overdue. */
const QUIET_IN_THE_END = { ...CALM, listenMs: LIVE_MS } as const;

const BUGS: Readonly<Record<BugName | 'clients that do not sync', Bug>> = {
  'ack before commit': { plan: CRASHES, found: ['acked is stored', 'a replay is the original'] },
  'emit before commit': { plan: CRASHES, found: ['nothing phantom'] },
  'half a batch': { plan: CALM, found: ['acked is stored'] },
  'no dedupe': { plan: LOST_ACKS, found: ['a replay is the original', 'nothing phantom'] },
  'dedupe only within a node': { plan: LOST_ACKS, found: ['a replay is the original', 'nothing phantom'] },
  'a new seq on replay': { plan: LOST_ACKS, found: ['a replay is the original', 'acked is stored'] },
  'membership not rechecked': { plan: CALM, found: ['only members write'] },
  'tail off': { plan: QUIET_IN_THE_END, alone: true, found: ['live within 6 s'] },
  'sync by id': { plan: { kinds: ['cut the clients of a node'] }, found: ['all in the end', 'there after a fault'] },
  'tells the removed': { plan: CALM, found: ['only members hear'] },
  'tells in any order': { plan: CALM, found: ['events in order'] },
  'loses events': { plan: QUIET_IN_THE_END, found: ['live within 6 s'] },
  'loses changes': { plan: QUIET_IN_THE_END, found: ['live within 6 s'] },
  'sync without changes': { plan: { kinds: ['cut the clients of a node'] }, found: ['all in the end'] },
  'read marks go back': { plan: CALM, found: ['read marks grow'] },
  'clients that do not sync': {
    plan: { kinds: ['cut the clients of a node'], deafClients: true },
    found: ['all in the end'],
  },
};

const PROGRAM = fileURLToPath(new URL('./buggy-node.js', import.meta.url));

/** Clusters that run at once: each waits more than it works. */
const AT_ONCE = 2;

/** Runs a cluster with each of the bugs, or with the one named; whether all were found. */
export async function findBugs(seed: number, only: string | undefined): Promise<boolean> {
  const limit = pLimit(AT_ONCE);
  const bugs = Object.entries(BUGS).filter(([name]) => only === undefined || only === name);
  const found = await Promise.all(bugs.map(([name, bug]) => limit(() => finds(seed, name, bug))));
  const missed = bugs.filter((_, index) => !found[index]).map(([name]) => name);
  if (missed.length > 0) console.error(`The checker does not see: ${missed.join(', ')}.`);
  return missed.length === 0;
}

async function finds(seed: number, name: string, { plan, found, alone }: Bug): Promise<boolean> {
  const env: Record<string, string> = { FAULTS_BUG: name, ...(alone && { REDIS_URL: '' }) };
  const program = plan?.deafClients ? undefined : { program: PROGRAM, env };
  const { verdict } = await run({ seed, forMs: 8_000, restMs: 1_500, listenMs: 0, program, ...plan });
  const rules = [...new Set(verdict.violations.map(({ rule }) => rule))];
  const isFound = rules.some((rule) => found.includes(rule));
  console.log(`${isFound ? 'found ' : 'MISSED'}  ${name}: ${rules.join(', ') || 'nothing'}`);
  return isFound;
}
