import type { RestartableServer } from '../../sdks/restartable-server.js';
import type { FaultProxy } from './fault-proxy.js';
import type { Person } from './person.js';
import type { Program, State } from './program.js';
import type { Step } from './scenario.js';

/** The person of the client under test. */
export const ME = 'me';

/** A message that the client has accepted, or that has a name in the scenario. */
export interface Sent {
  readonly chat: string;
  readonly key: string;
  /** Given up or tried again: it may be missing, or behind others. */
  isOutOfOrder: boolean;
}

/** What carries out each step of a group. */
export type Handlers<Group extends Step> = {
  [Do in Group['do']]: (stage: Stage, step: Extract<Group, { do: Do }>) => Promise<void> | void;
};

/** The people, chats and messages of a scenario, and the parts that it is played with. */
export class Stage {
  readonly people = new Map<string, Person>();
  /** The ids of the chats. */
  readonly chats = new Map<string, number>();
  readonly named = new Map<string, Sent>();
  /** Those of the client under test, in their order. */
  readonly accepted: Sent[] = [];
  program: Program | undefined;
  /** Resolves when the server that was told to stop has ended. */
  stopping: Promise<void> | undefined;
  /** What the client showed otherwise than the server had it, when that was compared last. */
  differences: readonly string[] = [];

  constructor(
    /** What starts the client under test. */
    readonly command: string,
    readonly server: RestartableServer,
    readonly proxy: FaultProxy,
    /** A folder for what the client stores. */
    readonly storagePath: string,
  ) {}

  get client(): Program {
    if (!this.program) throw new Error('The scenario has no step `open` before this one.');
    return this.program;
  }

  person(name: string): Person {
    return known(this.people, name);
  }

  chat(name = 'chat'): number {
    return known(this.chats, name);
  }

  message(name: string): Sent {
    return known(this.named, name);
  }

  /** Waits until the client shows something that fits. */
  async until(fits: (state: State) => boolean): Promise<void> {
    let state = await this.client.state();
    while (!fits(state)) state = await this.client.state(state.version);
  }
}

function known<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`The scenario has nothing with the name ${name}.`);
  return found;
}
