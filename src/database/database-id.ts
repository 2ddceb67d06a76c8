import type { EntityManager } from 'typeorm';

/** What tells this database from every other one: the id of its PostgreSQL, and its own there. */
export async function databaseId(manager: EntityManager): Promise<string> {
  const rows: { id: string }[] = await manager.query(
    `SELECT system_identifier || ':' || oid AS id FROM pg_control_system(), pg_database WHERE datname = current_database()`,
  );
  return rows[0]!.id;
}
