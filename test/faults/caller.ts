import type { Socket } from 'socket.io-client';
import type { KeptSession } from '../../clients/typescript/src/storage/storage.js';
import type { Ack, ClientToServerEvents, ServerToClientEvents } from '../../src/contract/events.js';
import { request } from '../support/http.js';
import { type Node, pause } from './cluster.js';
import type { History, Operation, Outcome } from './history.js';
import type { Random } from './random.js';

/** An ack or answer that takes longer, in milliseconds, counts as lost. */
export const ANSWER_MS = 4_000;
const LONGEST_PAUSE_MS = 1_000;

/** Error codes after which the same request is sent again: the outcome is unknown, or nothing was done. */
const RETRYABLE = new Set(['unavailable', 'overloaded', 'rate_limited']);

export interface Person {
  readonly id: number;
  readonly token: string;
  /** Opens one more session, for a device of its own. */
  signIn(): Promise<KeptSession>;
}

/** What all clients of a run share. */
export interface RunContext {
  readonly history: History;
  readonly nodes: readonly Node[];
  /** Whether clients sync after a gap or a reconnect. Clients that do not are one of the bugs. */
  readonly resyncs: boolean;
}

type Reply<T> = Ack<T, { replayed?: boolean }>;

/** The same request as a socket command and as a REST call. */
export interface DualRequest {
  readonly command: keyof ClientToServerEvents;
  readonly payload: unknown;
  readonly route: readonly [method: string, path: string];
  /** The body of the REST call, if it takes one. */
  readonly body?: unknown;
}

/** The answer, or an error: `refused` is final, with `unknown` the request may have been executed or not. */
export type Result<T> =
  { readonly data: T; readonly replayed: boolean } | { readonly refused: string } | { readonly unknown: string };

/** Sends requests to the nodes over the socket or REST, and repeats each until its outcome is known. */
export class Caller {
  protected socket: Socket<ServerToClientEvents, ClientToServerEvents> | undefined;

  constructor(
    readonly name: string,
    readonly person: Person,
    protected readonly context: RunContext,
    protected readonly random: Random,
  ) {}

  /** Sends over the socket when it is connected, otherwise over REST. */
  protected async ask<T>({ command, payload, route, body }: DualRequest): Promise<Result<T>> {
    if (!this.socket?.connected) return this.askRest<T>(...route, body);
    const ack = await this.command<T>(this.socket, command, payload);
    return ack.ok ? { data: ack.data, replayed: ack.replayed ?? false } : refusal(ack.error.code);
  }

  protected async askRest<T>(method: string, path: string, body?: unknown): Promise<Result<T>> {
    const { status, headers, body: answer } = await this.rest(method, path, body);
    if (status >= 300) return refusal(answer.code as string);
    return { data: answer as T, replayed: headers.get('idempotent-replayed') === 'true' };
  }

  protected rest(method: string, path: string, body?: unknown) {
    const { origin } = this.random.pick(this.context.nodes).front;
    const signal = AbortSignal.timeout(ANSWER_MS);
    return request(origin, method, path, { token: this.person.token, body, signal });
  }

  /**
   * Repeats an attempt, with growing pauses, until its outcome is known or `giveUp` says that the run is over. Each
   * attempt is an operation of the history. Returns the answer, or undefined when it was refused or given up.
   */
  protected async retryUntilKnown<T>(
    what: Operation,
    giveUp: () => boolean,
    attempt: () => Promise<Result<T>>,
    outcomeOf: (data: T, replayed: boolean) => Outcome,
  ): Promise<T | undefined> {
    const { history } = this.context;
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

  /** Sends a command. Disconnects a socket that doesn't answer. */
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
  return code === undefined || code === 'internal_error' || RETRYABLE.has(code)
    ? { unknown: code ?? 'no problem document' }
    : { refused: code };
}
