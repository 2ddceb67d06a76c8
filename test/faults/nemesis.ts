import { type Cluster, type Node, pause } from './cluster.js';
import type { History } from './history.js';
import type { Load } from './load.js';
import type { Random } from './random.js';

// The faults, and the schedule by which they are injected (the nemesis, as in Jepsen).

/** How a fault begins and ends, and how long it lasts in between. */
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
  'pause a node': {
    lastsMs: [2_000, 5_000],
    begin: (_, node) => node.process.pause(),
    end: (_, node) => node.process.resume(),
  },
  'kill -9 PostgreSQL': {
    lastsMs: [300, 1_500],
    begin: ({ postgres }) => postgres.kill(),
    end: ({ postgres }) => postgres.restart(),
  },
  'pause PostgreSQL': {
    lastsMs: [1_500, 4_500],
    begin: ({ postgres }) => postgres.pause(),
    end: ({ postgres }) => postgres.resume(),
  },
  'kill -9 Redis': {
    lastsMs: [1_000, 4_000],
    begin: ({ redis }) => redis.kill(),
    end: ({ redis }) => redis.restart(),
  },
  'pause Redis': {
    lastsMs: [1_500, 5_000],
    begin: ({ redis }) => redis.pause(),
    end: ({ redis }) => redis.resume(),
  },
  // The response is lost after the commit and before the ack, on either side of the node.
  'drop the responses of PostgreSQL to a node': {
    lastsMs: [200, 800],
    begin: (_, { back }) => back.dropResponses(),
    end: (_, { back }) => back.dropConnections(),
  },
  'drop the responses of a node': {
    lastsMs: [200, 800],
    begin: (_, { front }) => front.dropResponses(),
    end: (_, { front }) => front.dropConnections(),
  },
  'disconnect the clients of a node': {
    lastsMs: [0, 0],
    begin: (_, { front }) => front.dropConnections(),
    end: nothing,
  },
} satisfies Record<string, Fault>;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** One fault of a schedule. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly node: number;
  readonly lastsMs: number;
}

/** Yields all kinds in rounds, each round in another order. A seed always gives the same schedule. */
export function* schedule(
  random: Random,
  nodes: number,
  kinds: readonly FaultKind[] = FAULT_KINDS,
): Generator<PlannedFault> {
  while (kinds.length > 0) {
    for (const kind of random.shuffled(kinds)) {
      yield { kind, node: random.between(0, nodes - 1), lastsMs: random.between(...FAULTS[kind].lastsMs) };
    }
  }
}

/** The recovery from a fault. */
export interface Recovery {
  readonly kind: FaultKind;
  /** Milliseconds from the end of the fault until every node has accepted a message. */
  readonly ms: number;
}

/** Injects the faults of a schedule for `durationMs`, with `pauseMs` between two. All have ended at the end. */
export async function injectFaults(
  cluster: Cluster,
  load: Load,
  history: History,
  plan: Iterable<PlannedFault>,
  { durationMs, pauseMs }: { durationMs: number; pauseMs: number },
): Promise<Recovery[]> {
  const until = history.now() + durationMs;
  const recoveries: Recovery[] = [];
  await pause(pauseMs / 2);
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
    await pause(pauseMs);
  }
  await pause(Math.max(0, until - history.now()));
  return recoveries;
}
