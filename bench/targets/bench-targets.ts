import { type Bench, Contestant } from './bench-target.js';
import { pause } from '../load/send-run.js';
import { SERVER_NAMES, type ServerName } from './servers.js';
import type { World, WorldChat } from './dataset.js';

const USERS = 1_500;
const WARM_UP_MS = 4_000;

/** Private chats of two users each, from this user on. */
const pairs = (count: number, firstChat: number, firstUser: number): WorldChat[] =>
  Array.from({ length: count }, (_, i) => {
    return { id: firstChat + i, type: 'private', memberIds: [firstUser + 2 * i, firstUser + 2 * i + 1] };
  });

const group = (size: number, id: number, firstUser: number): WorldChat => ({
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
} satisfies Record<string, WorldChat[]>;

const WORLD: World = { users: USERS, chats: Object.values(CHATS).flat() };
export const USER_IDS = Array.from({ length: USERS }, (_, i) => i + 1);

/** The three servers side by side, in the same world; while one is measured the others idle. */
export class Lineup {
  private constructor(private readonly contestants: ReadonlyMap<ServerName, Contestant>) {}

  /** Starts them and lets each run hot, so that none is measured while its code is still being compiled. */
  static async start(bench: Bench): Promise<Lineup> {
    const contestants = new Map<ServerName, Contestant>();
    for (const name of SERVER_NAMES) {
      const contestant = await Contestant.start(name, WORLD, bench);
      await contestant.send(CHATS.private, () => true, {
        inFlight: 1,
        warmUpMs: 0,
        windowMs: WARM_UP_MS,
        halfLoadMs: 0,
      });
      contestants.set(name, contestant);
    }
    return new Lineup(contestants);
  }

  of(name: ServerName): Contestant {
    return this.contestants.get(name)!;
  }

  /** @throws RunProblem unless the databases hold exactly what was acked */
  async finish(): Promise<void> {
    for (const contestant of this.contestants.values()) {
      await contestant.checkStored();
      await contestant.stop();
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
