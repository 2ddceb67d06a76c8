import { Injectable, Logger } from '@nestjs/common';

type EventClass<T extends object> = abstract new (...args: never[]) => T;

type Handler<T> = (event: T) => void | Promise<void>;

const DONE = Promise.resolve();

/**
 * What happened, told to whoever wants to know inside this process, at once and in the order of publishing.
 * A handler that fails is logged and stops nobody: the fact it heard of is committed.
 */
@Injectable()
export class DomainEventBus {
  private readonly logger = new Logger(DomainEventBus.name);
  private readonly handlers = new Map<unknown, Handler<never>[]>();

  /** Calls `handler` for each event of exactly this class. */
  on<T extends object>(type: EventClass<T>, handler: Handler<T>): void {
    this.handlers.set(type, [...(this.handlers.get(type) ?? []), handler]);
  }

  /** Resolves when all handlers are done; those that don't wait for anything are on return. */
  publish(event: object): Promise<void> {
    let work = DONE;
    for (const handler of this.handlers.get(event.constructor) ?? []) {
      try {
        const done: unknown = handler(event as never);
        // What else a handler may return is nobody's business.
        if (done instanceof Promise) {
          work = Promise.all([work, done.catch((err: unknown) => this.failed(event, err))]).then(() => undefined);
        }
      } catch (err) {
        this.failed(event, err);
      }
    }
    return work;
  }

  private failed(event: object, err: unknown): void {
    this.logger.error({ err, event: event.constructor.name });
  }
}
