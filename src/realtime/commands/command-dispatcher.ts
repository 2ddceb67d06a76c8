import { randomUUID } from 'node:crypto';
import type { PinoLogger } from 'nestjs-pino';
import { AppError } from '../../common/errors/app-error.js';
import type { ChatSocket } from '../chat-socket.js';
import { toCommandError } from './socket-error.filter.js';
import { PAYLOAD_TOO_LARGE, TOO_LARGE } from './too-large.js';

/**
 * Runs a command through Nest's guards, pipe, handler and filter. Resolves with the answer, or with undefined after the
 * filter has acked an error.
 */
export type CommandHandler = (payload: unknown, ack: (answer: object) => void) => Promise<object | undefined>;

/** The most commands of one socket that may be running or queued. Further commands are refused with `rate_limited`. */
const MAX_WAITING = 1_000;
/** When a client that has reached `MAX_WAITING` may try again, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

/**
 * The command that starts without waiting for the commit of the one before. Sends keep their order all the same: each
 * one enters the lane of its chat (`ChatLaneScheduler`) in the order of the starts.
 */
const PIPELINED = 'message:send';

/** The answer to an event that is no command, at once: a flood of them must not cost what commands do. */
const UNKNOWN = { ok: false, error: toCommandError(new AppError('not_found', 'There is no such command.')) };

/** The answer to a command that is too large, at once: it waits for nothing, as it changes nothing. */
const OVERSIZED = { ok: false, error: PAYLOAD_TOO_LARGE };

/** A command as it arrived. `ack` does nothing if the client wants no ack. */
interface Command {
  readonly event: string;
  readonly handler: CommandHandler;
  readonly payload: unknown;
  readonly ack: (answer: object) => void;
}

/**
 * Runs and acks the commands of one socket, Socket.IO or plain. `SocketAdapter` makes one dispatcher for each socket,
 * just after the handshake.
 *
 * States:
 * - *idle*: nothing is running or queued;
 * - *pipelining*: only sends (`message:send`) are running, so that one commit can store many of them;
 * - *exclusive*: one command of another kind is running, alone;
 * - *finishing*, beside one of these: `finish` was called. New commands are refused with `unavailable`.
 *
 * Transitions, for the head of the queue:
 * - idle: the command starts;
 * - pipelining: a send starts; another command waits until all running sends are done;
 * - exclusive: the command waits.
 *
 * Invariants: commands start in the order in which they arrived. At most 1,000 are running or queued. Each accepted
 * command is acked, by its answer or by `SocketErrorFilter`.
 *
 * All events have one listener. Stock Nest binds one RxJS chain for each event and socket: with 20 events that is 97 KB
 * of heap for a socket, instead of 13 KB.
 */
export class CommandDispatcher {
  private readonly queue: Command[] = [];
  private running = 0;
  private exclusive = false;
  /** Set by `finish`: from then on new commands are refused. Called when no command is left. */
  private finished: (() => void) | undefined;

  constructor(
    private readonly socket: ChatSocket,
    private readonly handlerOf: (event: string) => CommandHandler | undefined,
    private readonly logger: PinoLogger,
  ) {
    socket.onAny((event: string, ...args: unknown[]) => this.accept(event, args));
  }

  /** Refuses new commands from now on. Resolves when the accepted ones are acked. `DrainService` calls it. */
  finish(): Promise<void> {
    return new Promise((resolve) => {
      this.finished = resolve;
      this.pump();
    });
  }

  private accept(event: string, args: unknown[]): void {
    const last = args.at(-1);
    const wantsAck = typeof last === 'function';
    const ack = wantsAck ? (last as (answer: object) => void) : () => undefined;
    const count = wantsAck ? args.length - 1 : args.length;
    const handler = this.handlerOf(event);
    if (!handler) return ack(UNKNOWN);
    if (args[0] === TOO_LARGE) return ack(OVERSIZED);
    const refusal = this.refusal();
    if (refusal) return ack({ ok: false, error: toCommandError(refusal) });
    // A command has exactly one argument. Without one payload, the validation pipe refuses the command.
    this.queue.push({ event, handler, payload: count === 1 ? args[0] : undefined, ack });
    this.pump();
  }

  private refusal(): AppError | undefined {
    if (this.finished) return new AppError('unavailable', 'The server is stopping.');
    return this.running + this.queue.length < MAX_WAITING ? undefined : AppError.rateLimited(RETRY_AFTER_MS);
  }

  private pump(): void {
    if (this.running + this.queue.length === 0) this.finished?.();
    for (let head = this.queue[0]; head && this.mayStart(head); head = this.queue[0]) {
      this.queue.shift();
      this.running += 1;
      this.exclusive = head.event !== PIPELINED;
      void this.run(head)
        // The filter acks what a handler throws. An error here is our own fault; the next command must run all the
        // same.
        .catch((err: unknown) => this.logger.error({ err, event: 'command.failed' }))
        .finally(() => {
          this.running -= 1;
          this.exclusive = false;
          this.pump();
        });
    }
  }

  private mayStart({ event }: Command): boolean {
    return this.running === 0 || (event === PIPELINED && !this.exclusive);
  }

  private async run({ handler, payload, ack }: Command): Promise<void> {
    const bindings = {
      request_id: randomUUID(),
      socket_id: this.socket.id,
      user_id: this.socket.data.principal.userId,
    };
    const answer = await this.logger.runInContext(() => handler(payload, ack), { bindings });
    if (answer) ack({ ok: true, ...answer });
  }
}
