import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { DataSource, type EntityManager, type ObjectLiteral, type Repository } from 'typeorm';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { isDatabaseConflict } from '../common/errors/to-app-error.js';

/** A running transaction: its manager, and the events to publish after the commit. */
interface Scope {
  readonly manager: EntityManager;
  readonly events: object[];
}

/**
 * The ambient transaction. A service or `ChatWriter` opens it with `run`. Repositories reach it through `manager` or
 * `repository`, without a parameter.
 *
 * States of a chain of calls (an AsyncLocalStorage holds them):
 * - *outside*: `manager` belongs to no transaction, so each statement commits by itself. `publish` throws;
 * - *inside*: `manager` belongs to the transaction. `publish` keeps events back.
 *
 * Transitions:
 * - outside → inside: `run` begins a transaction. A `run` inside another one joins it, and changes nothing;
 * - inside → outside: `work` has resolved, and the transaction commits. Then the events are published, in the order of
 *   `publish`, and `run` resolves when their handlers are done;
 * - inside → outside: `work` or the commit has failed. The transaction is rolled back and the events are dropped;
 * - outside → inside, once more: it was a deadlock or a serialization failure. The second failure is thrown.
 *
 * Invariant: no event is published of anything that isn't committed. The reverse can happen: if the answer to the
 * COMMIT is lost, the events are dropped although the change may be stored. Polls of the database find it then.
 */
@Injectable()
export class UnitOfWork {
  private readonly scopes = new AsyncLocalStorage<Scope>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly domainEvents: DomainEventBus,
  ) {}

  /** The current transaction's manager, or the plain one outside any. */
  get manager(): EntityManager {
    return this.scopes.getStore()?.manager ?? this.dataSource.manager;
  }

  /** The TypeORM repository of an entity inside the current transaction. */
  repository<T extends ObjectLiteral>(entity: new () => T): Repository<T> {
    return this.manager.getRepository(entity);
  }

  /**
   * Runs a prepared statement, which each connection parses once, under this name. It has a connection of its own and
   * commits by itself, also inside `run`. It is retried once, as `run` is.
   */
  prepared<T>(name: string, text: string, values: unknown[]): Promise<T[]> {
    return retriedOnce(() => this.execute<T>(name, text, values));
  }

  /**
   * Runs `work` in one transaction (READ COMMITTED), or in that of the `run` around it. If PostgreSQL ends the
   * transaction by a deadlock or a serialization failure, it is run a second time: `work` must leave nothing behind
   * outside the database.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.scopes.getStore()) return work();
    const { result, events } = await retriedOnce(() => this.transact(work));
    // Wait for the handlers: the caller gets its answer after the devices on this node got the events.
    await Promise.all(events.map((event) => this.domainEvents.publish(event)));
    return result;
  }

  /** Publishes a domain event once the transaction is committed; a rollback drops it. @throws Error outside `run`. */
  publish(event: object): void {
    const scope = this.scopes.getStore();
    if (!scope) throw new Error('a domain event needs a transaction');
    scope.events.push(event);
  }

  /** One try of `run`: the result of `work`, and the events to publish. */
  private async transact<T>(work: () => Promise<T>): Promise<{ result: T; events: object[] }> {
    const events: object[] = [];
    const result = await this.dataSource.transaction((manager) => this.scopes.run({ manager, events }, work));
    return { result, events };
  }

  /** One try of `prepared`. */
  private async execute<T>(name: string, text: string, values: unknown[]): Promise<T[]> {
    const runner = this.dataSource.createQueryRunner();
    try {
      // TypeORM has no prepared statements, so this uses pg's connection directly.
      const client = (await runner.connect()) as ClientBase;
      return (await client.query({ name, text, values })).rows as T[];
    } finally {
      await runner.release();
    }
  }
}

/** What `attempt` returns. If it loses a conflict in the database, it is made once more. */
async function retriedOnce<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!isDatabaseConflict(error)) throw error;
    return attempt();
  }
}
