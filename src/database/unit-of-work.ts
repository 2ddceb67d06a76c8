import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { DataSource, type EntityManager, type ObjectLiteral, type Repository } from 'typeorm';
import { DomainEventBus } from '../common/domain-event.bus.js';

interface Scope {
  readonly manager: EntityManager;
  readonly events: object[];
}

/**
 * The ambient transaction. A service opens it with `run`, repositories reach it through `manager` without being handed
 * anything, and what is said with `publish` leaves only after the commit.
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

  /** The rows of a statement that each connection parses once, under this name. Outside any transaction. */
  async prepared<T>(name: string, text: string, values: unknown[]): Promise<T[]> {
    const runner = this.dataSource.createQueryRunner();
    try {
      // TypeORM knows no named statements, so this one goes to the driver's connection.
      const client = (await runner.connect()) as ClientBase;
      return (await client.query({ name, text, values })).rows as T[];
    } finally {
      await runner.release();
    }
  }

  /** Runs `work` in one transaction (READ COMMITTED); inside another `run` it joins that one. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.scopes.getStore()) return work();
    const events: object[] = [];
    const result = await this.dataSource.transaction((manager) => this.scopes.run({ manager, events }, work));
    // Whoever made the change has the answer after its devices on this node have been told.
    await Promise.all(events.map((event) => this.domainEvents.publish(event)));
    return result;
  }

  /** Publishes a domain event once the transaction is committed; a rollback drops it. @throws Error outside `run`. */
  publish(event: object): void {
    const scope = this.scopes.getStore();
    if (!scope) throw new Error('a domain event needs a transaction');
    scope.events.push(event);
  }
}
