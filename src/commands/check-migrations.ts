import { fullDataSource } from '../database/data-source.js';
import { withScratchPostgres } from './scratch-postgres.js';

// Runs all migrations on an empty database, undoes and redoes the newest, and exits 1 with the SQL that the entities
// still ask for: what `typeorm migration:generate --check` would write into a migration.
const pending = await withScratchPostgres(async (url) => {
  const source = await fullDataSource(url).initialize();
  try {
    await source.runMigrations();
    await source.undoLastMigration();
    await source.runMigrations();
    return (await source.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);
  } finally {
    await source.destroy();
  }
});
for (const query of pending) console.log(`${query};`);
console.log(
  pending.length === 0 ? 'The migrations match the entities.' : 'The entities have no migration for the above.',
);
process.exitCode = pending.length === 0 ? 0 : 1;
