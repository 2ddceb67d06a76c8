import { type Bench, BenchTarget } from './bench-target.js';
import { pause } from '../load/send-run.js';
import { SERVER_NAMES, type ServerName } from './servers.js';
import type { Dataset, DatasetChat } from './dataset.js';

const USERS = 1_500;
const WARM_UP_MS = 4_000;

/** Private chats of two users each, from this user on. */
const pairs = (count: number, firstChat: number, firstUser: number): DatasetChat[] =>
  Array.from({ length: count }, (_, i) => {
    return { id: firstChat + i, type: 'private', memberIds: [firstUser + 2 * i, firstUser + 2 * i + 1] };
  });

const group = (size: number, id: number, firstUser: number): DatasetChat => ({
  id,
  type: 'group',
  memberIds: Array.from({ length: size }, (_, i) => firstUser + i),
});

/** The chats of the phases that send. Nobody is in two of them. */
export const CHATS = {
  private: pairs(128, 1, 1),
  oneSender: [group(4, 1_001, 301)],
  manySenders: [group(16, 1_002, 351)],
  fanOut: [group(1_000, 1_003, 401)],
} satisfies Record<string, DatasetChat[]>;

const DATASET: Dataset = { users: USERS, chats: Object.values(CHATS).flat() };
export const USER_IDS = Array.from({ length: USERS }, (_, i) => i + 1);

/** The three servers side by side, in the same dataset; while one is measured the others idle. */
export class BenchTargets {
  private constructor(private readonly targets: ReadonlyMap<ServerName, BenchTarget>) {}

  /** Starts them and lets each run hot, so that none is measured while its code is still being compiled. */
  static async start(bench: Bench): Promise<BenchTargets> {
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

/** Each server in its turn, in every round another one first. */
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

/** For what a server does after its clients have left. */
export const settle = (): Promise<void> => pause(300);
