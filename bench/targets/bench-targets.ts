import { type BenchContext, BenchTarget } from './bench-target.js';
import { pause } from '../load/send-run.js';
import { SERVER_NAMES, type ServerName } from './servers.js';
import type { Dataset, DatasetChat } from './dataset.js';

const USERS = 1_500;
const WARM_UP_MS = 4_000;

/** Private chats of two users each, with consecutive user ids. */
const pairs = (count: number, firstChat: number, firstUser: number): DatasetChat[] =>
  Array.from({ length: count }, (_, i) => {
    return { id: firstChat + i, type: 'private', memberIds: [firstUser + 2 * i, firstUser + 2 * i + 1] };
  });

const group = (size: number, id: number, firstUser: number): DatasetChat => ({
  id,
  type: 'group',
  memberIds: Array.from({ length: size }, (_, i) => firstUser + i),
});

/** The chats of the phases that send. No user is in two of them. */
export const CHATS = {
  private: pairs(128, 1, 1),
  oneSender: [group(4, 1_001, 301)],
  manySenders: [group(16, 1_002, 351)],
  fanOut: [group(1_000, 1_003, 401)],
} satisfies Record<string, DatasetChat[]>;

const DATASET: Dataset = { users: USERS, chats: Object.values(CHATS).flat() };
export const USER_IDS = Array.from({ length: USERS }, (_, i) => i + 1);

/** The three servers with the same dataset. While one is measured the others are idle. */
export class BenchTargets {
  private constructor(private readonly targets: ReadonlyMap<ServerName, BenchTarget>) {}

  /** Starts the servers and warms each up, so that none is measured while its code is still being compiled. */
  static async start(bench: BenchContext): Promise<BenchTargets> {
    const targets = new Map<ServerName, BenchTarget>();
    for (const name of SERVER_NAMES) {
      const target = await BenchTarget.start(name, DATASET, bench);
      await target.send(CHATS.private, () => true, {
        inFlight: 1,
        warmUpMs: 0,
        windowMs: WARM_UP_MS,
        halfLoadMs: 0,
      });
      targets.set(name, target);
    }
    return new BenchTargets(targets);
  }

  of(name: ServerName): BenchTarget {
    return this.targets.get(name)!;
  }

  /** @throws RunProblem unless the databases hold exactly what was acked */
  async finish(): Promise<void> {
    for (const target of this.targets.values()) {
      await target.checkStored();
      await target.stop();
    }
  }
}

/** Measures the servers in turns. Each round begins with another one. */
export async function interleaved<Name extends string>(
  names: readonly Name[],
  rounds: number,
  turn: (name: Name, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) await turn(name, round);
  }
}

/** Waits for the work that a server does after its clients have disconnected. */
export const settlePause = (): Promise<void> => pause(300);
