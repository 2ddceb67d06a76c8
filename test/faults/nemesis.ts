import { type Cluster, type Node, pause } from './cluster.js';
import type { History } from './history.js';
import type { Load } from './load.js';
import type { Random } from './random.js';

/** How a fault begins and how it ends; between the two it lasts. */
interface Fault {
  readonly lastsMs: readonly [number, number];
  readonly begin: (cluster: Cluster, node: Node) => unknown;
  readonly end: (cluster: Cluster, node: Node) => unknown;
}

const nothing = (): void => undefined;

const FAULTS = {
  'kill -9 a node': {
    lastsMs: [500, 1_500],
    begin: (_, node) => node.process.stop('SIGKILL'),
    end: (cluster, node) => cluster.restart(node),
  },
  'restart a node': {
    lastsMs: [0, 500],
    begin: (_, node) => node.process.stop('SIGTERM'),
    end: (cluster, node) => cluster.restart(node),
  },
  'stop a node': {
    lastsMs: [2_000, 5_000],
    begin: (_, node) => node.process.pause(),
    end: (_, node) => node.process.resume(),
  },
  'kill -9 PostgreSQL': {
    lastsMs: [300, 1_500],
    begin: ({ postgres }) => postgres.kill(),
    end: ({ postgres }) => postgres.restart(),
  },
  'stop PostgreSQL': {
    lastsMs: [1_500, 4_500],
    begin: ({ postgres }) => postgres.pause(),
    end: ({ postgres }) => postgres.resume(),
  },
  'kill -9 Redis': {
    lastsMs: [1_000, 4_000],
    begin: ({ redis }) => redis.kill(),
    end: ({ redis }) => redis.restart(),
  },
  'stop Redis': {
    lastsMs: [1_500, 5_000],
    begin: ({ redis }) => redis.pause(),
    end: ({ redis }) => redis.resume(),
  },
  // After the commit and before the ack, at either end of the node.
  'lose the answers of PostgreSQL to a node': {
    lastsMs: [200, 800],
    begin: (_, { back }) => back.dropResponses(),
    end: (_, { back }) => back.dropConnections(),
  },
  'lose the answers of a node': {
    lastsMs: [200, 800],
    begin: (_, { front }) => front.dropResponses(),
    end: (_, { front }) => front.dropConnections(),
  },
  'cut the clients of a node': { lastsMs: [0, 0], begin: (_, { front }) => front.dropConnections(), end: nothing },
} satisfies Record<string, Fault>;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** One fault of a schedule. */
export interface Planned {
  readonly kind: FaultKind;
  readonly node: number;
  readonly lastsMs: number;
}

/** All kinds in turns, each round in another order. A seed has one schedule, however long the run. */
export function* schedule(
  random: Random,
  nodes: number,
  kinds: readonly FaultKind[] = FAULT_KINDS,
): Generator<Planned> {
  while (kinds.length > 0) {
    for (const kind of random.shuffled(kinds)) {
      yield { kind, node: random.between(0, nodes - 1), lastsMs: random.between(...FAULTS[kind].lastsMs) };
    }
  }
}

/** How a fault was overcome. */
export interface Recovery {
  readonly kind: FaultKind;
  /** From the end of the fault until every node has taken a message again, in milliseconds. */
  readonly ms: number;
}

/** Carries out a schedule for so long, with `restMs` between two faults; none is left when it is done. */
export async function torment(
  cluster: Cluster,
  load: Load,
  history: History,
  plan: Iterable<Planned>,
  { forMs, restMs }: { forMs: number; restMs: number },
): Promise<Recovery[]> {
  const until = history.now() + forMs;
  const recoveries: Recovery[] = [];
  await pause(restMs / 2);
  for (const { kind, node: index, lastsMs } of plan) {
    if (history.now() > until) break;
    const node = cluster.nodes[index]!;
    const fault = recoveries.length;
    history.add({ type: 'fault', phase: 'begin', kind, fault });
    await FAULTS[kind].begin(cluster, node);
    await pause(lastsMs);
    await FAULTS[kind].end(cluster, node);
    history.add({ type: 'fault', phase: 'end', kind, fault });
    const end = history.now();
    await Promise.all(cluster.nodes.map((one) => load.probe(one)));
    recoveries.push({ kind, ms: history.now() - end });
    history.add({ type: 'fault', phase: 'recovered', kind, fault });
    await pause(restMs);
  }
  await pause(Math.max(0, until - history.now()));
  return recoveries;
}
