import type { EntityManager } from 'typeorm';

/**
 * The identity of this database among all others: the id of its PostgreSQL server, and its own id there. `NodeBus`
 * names its channel by it.
 */
export async function databaseId(manager: EntityManager): Promise<string> {
  const rows: { id: string }[] = await manager.query(
    `SELECT system_identifier || ':' || oid AS id FROM pg_control_system(), pg_database WHERE datname = current_database()`,
  );
  return rows[0]!.id;
}
