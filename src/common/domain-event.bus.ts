import { Injectable, Logger } from '@nestjs/common';

type EventClass<T extends object> = abstract new (...args: never[]) => T;

type Handler<T> = (event: T) => void | Promise<void>;

const DONE = Promise.resolve();

/**
 * Domain events inside this process: a publisher knows its event class, not its handlers. `UnitOfWork` publishes the
 * events of a transaction after its commit; an event without a transaction is published directly. Handlers are called
 * at once, in the order of publishing and of registration. A handler that fails is logged and stops neither the
 * publisher nor the other handlers, because what happened is committed.
 */
@Injectable()
export class DomainEventBus {
  private readonly logger = new Logger(DomainEventBus.name);
  private readonly handlers = new Map<unknown, Handler<never>[]>();

  /** Calls `handler` for each event of exactly this class. */
  on<T extends object>(type: EventClass<T>, handler: Handler<T>): void {
    this.handlers.set(type, [...(this.handlers.get(type) ?? []), handler]);
  }

  /**
   * Calls all handlers; resolves when all are done. A handler that awaits nothing is done when this returns. Never
   * rejects.
   */
  publish(event: object): Promise<void> {
    let work = DONE;
    for (const handler of this.handlers.get(event.constructor) ?? []) {
      try {
        const done: unknown = handler(event as never);
        // Any other return value is ignored.
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
