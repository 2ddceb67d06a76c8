import { randomUUID } from 'node:crypto';
import type { PinoLogger } from 'nestjs-pino';
import { AppError } from '../../common/errors/app-error.js';
import type { ChatSocket } from '../chat-socket.js';
import { toCommandError } from './socket-error.filter.js';

/** A command through Nest's guard, pipe, handler and filter. Resolves with the answer, or with undefined once the filter has acked an error. */
export type CommandHandler = (payload: unknown, ack: (answer: object) => void) => Promise<object | undefined>;

/** What one socket may have under way and waiting; beyond it commands are refused, not kept. */
const MAX_WAITING = 1_000;
/** When a client that has filled it may try again, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

/** Sends keep their order without waiting for each other's commit: they stand in the lanes of their chats one after the other. */
const PIPELINED = 'message:send';

interface Command {
  readonly event: string;
  readonly payload: unknown;
  readonly ack: (answer: object) => void;
}

/**
 * Takes all commands of one socket, through one listener for all events (stock Nest binds one RxJS chain for each event
 * and socket, 97 KB of heap with 20 of them instead of 13), and acks each. They start in the order they came. Sends that
 * follow each other are under way together, so that one commit can take many; any other command has the socket to itself.
 */
export class CommandDispatcher {
  private readonly queue: Command[] = [];
  private running = 0;
  private exclusive = false;
  /** Set when no more commands are taken; called when none is left. */
  private finished: (() => void) | undefined;

  constructor(
    private readonly socket: ChatSocket,
    private readonly handlerOf: (event: string) => CommandHandler | undefined,
    private readonly logger: PinoLogger,
  ) {
    socket.onAny((event: string, ...args: unknown[]) => this.accept(event, args));
  }

  /** Takes no more commands. Resolves when those that had come are acked. */
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
    const refusal = this.refusal();
    if (refusal) return ack({ ok: false, error: toCommandError(refusal) });
    // Anything but one argument is no payload; the validation says so.
    this.queue.push({ event, payload: count === 1 ? args[0] : undefined, ack });
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
        // The filter answers what a handler throws; only a fault of ours gets here, and the next command must still run.
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

  private async run({ event, payload, ack }: Command): Promise<void> {
    const handler = this.handlerOf(event) ?? unknownCommand;
    const bindings = {
      request_id: randomUUID(),
      socket_id: this.socket.id,
      user_id: this.socket.data.principal.userId,
    };
    const answer = await this.logger.runInContext(() => handler(payload, ack), { bindings });
    if (answer) ack({ ok: true, ...answer });
  }
}

const unknownCommand: CommandHandler = (_, ack) => {
  ack({ ok: false, error: toCommandError(new AppError('not_found', 'There is no such command.')) });
  return Promise.resolve(undefined);
};
