import type { Socket } from 'socket.io-client';
import type { Ack, ClientToServerEvents, ServerToClientEvents } from '../../src/contract/events.js';
import { request } from '../support/http.js';
import { type Node, pause } from './cluster.js';
import type { History, Operation, Outcome } from './history.js';
import type { Random } from './random.js';

/** No ack within so many milliseconds counts as none. */
export const ANSWER_MS = 4_000;
const LONGEST_PAUSE_MS = 1_000;

/** Answers after which nobody knows, or nothing was done yet: the same again. */
const TRY_AGAIN = new Set(['unavailable', 'overloaded', 'rate_limited']);

export interface Person {
  readonly id: number;
  readonly token: string;
}

/** What the clients of a run have in common. */
export interface World {
  readonly history: History;
  readonly nodes: readonly Node[];
  /** A client that does not is one of the bugs the checker has to find. */
  readonly resyncs: boolean;
}

type Reply<T> = Ack<T, { replayed?: boolean }>;

/** The same thing by a command of the socket, and by a route. */
export interface Ask {
  readonly command: keyof ClientToServerEvents;
  readonly payload: unknown;
  readonly route: readonly [method: string, path: string];
  /** Of the route, if it takes one. */
  readonly body?: unknown;
}

/** What was answered, or why not: `refused` is for good, `unknown` may have been done or not. */
export type Answered<T> =
  { readonly data: T; readonly replayed: boolean } | { readonly refused: string } | { readonly unknown: string };

/** Asks the nodes for something, by whatever way there is, and again until it is known what has become of it. */
export class Caller {
  protected socket: Socket<ServerToClientEvents, ClientToServerEvents> | undefined;

  constructor(
    readonly name: string,
    readonly person: Person,
    protected readonly world: World,
    protected readonly random: Random,
  ) {}

  /** Over the socket if there is one, and over REST if not. */
  protected async ask<T>({ command, payload, route, body }: Ask): Promise<Answered<T>> {
    if (!this.socket?.connected) return this.askRest<T>(...route, body);
    const ack = await this.command<T>(this.socket, command, payload);
    return ack.ok ? { data: ack.data, replayed: ack.replayed ?? false } : refusal(ack.error.code);
  }

  protected async askRest<T>(method: string, path: string, body?: unknown): Promise<Answered<T>> {
    const { status, headers, body: answer } = await this.rest(method, path, body);
    if (status >= 300) return refusal(answer.code as string);
    return { data: answer as T, replayed: headers.get('idempotent-replayed') === 'true' };
  }

  protected rest(method: string, path: string, body?: unknown) {
    const { origin } = this.random.pick(this.world.nodes).front;
    const signal = AbortSignal.timeout(ANSWER_MS);
    return request(origin, method, path, { token: this.person.token, body, signal });
  }

  /**
   * Tries until there is an answer that says what has happened, a little later each time, or `giveUp` says that the run is
   * over. Each try is an operation of the history. The answer, unless it was refused or given up.
   */
  protected async untilKnown<T>(
    what: Operation,
    giveUp: () => boolean,
    attempt: () => Promise<Answered<T>>,
    outcomeOf: (data: T, replayed: boolean) => Outcome,
  ): Promise<T | undefined> {
    const { history } = this.world;
    for (let wait = 50; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
      const op = history.invoke(this.name, what);
      const answer = await attempt().catch((error: unknown) => ({ unknown: (error as Error).message }));
      if ('data' in answer) {
        history.add({ type: 'ok', op, outcome: outcomeOf(answer.data, answer.replayed) });
        return answer.data;
      }
      if ('refused' in answer) {
        history.add({ type: 'fail', op, why: answer.refused });
        return undefined;
      }
      history.add({ type: 'unknown', op, why: answer.unknown });
      if (giveUp()) return undefined;
      await pause(wait * (0.5 + this.random.next()));
    }
  }

  /** A connection that doesn't answer is given up. */
  private async command<T>(socket: Socket, name: string, payload: unknown): Promise<Reply<T>> {
    try {
      return (await socket.timeout(ANSWER_MS).emitWithAck(name, payload)) as Reply<T>;
    } catch (error) {
      socket.disconnect();
      throw error;
    }
  }
}

export function refusal(code: string | undefined): { refused: string } | { unknown: string } {
  return code === undefined || code === 'internal_error' || TRY_AGAIN.has(code)
    ? { unknown: code ?? 'no problem document' }
    : { refused: code };
}
