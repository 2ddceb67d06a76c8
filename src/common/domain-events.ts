import { Injectable, Logger } from '@nestjs/common';

type EventClass<T extends object> = abstract new (...args: never[]) => T;

/**
 * What happened, told to whoever wants to know inside this process, at once and in the order of publishing.
 * A handler that throws is logged and stops nobody: the fact it heard of is committed.
 */
@Injectable()
export class DomainEvents {
  private readonly logger = new Logger(DomainEvents.name);
  private readonly handlers = new Map<unknown, ((event: never) => void)[]>();

  /** Calls `handler` for each event of exactly this class. */
  on<T extends object>(type: EventClass<T>, handler: (event: T) => void): void {
    this.handlers.set(type, [...(this.handlers.get(type) ?? []), handler]);
  }

  publish(event: object): void {
    for (const handler of this.handlers.get(event.constructor) ?? []) {
      try {
        handler(event as never);
      } catch (err) {
        this.logger.error({ err, event: event.constructor.name });
      }
    }
  }
}
