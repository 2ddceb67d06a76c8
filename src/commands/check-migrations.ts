import { parseArgs } from 'node:util';
import { fullDataSource } from '../database/data-source.js';
import { differingFiles, schemaFiles } from './schema-files.js';
import { withScratchPostgres } from './scratch-postgres.js';

// Runs all migrations on an empty database, undoes and redoes the newest, and exits 1 when the entities still ask for
// some SQL (what `typeorm migration:generate --check` would write into a migration), or when a file of `npm run schema`
// shows something else. The database is that of the URL given, or one of its own.
async function faultsOf(url: string): Promise<string[]> {
  const source = await fullDataSource(url).initialize();
  try {
    await source.runMigrations();
    await source.undoLastMigration();
    await source.runMigrations();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    const files = differingFiles(await schemaFiles(source));
    return [
      ...upQueries.map(({ query }) => `The entities have no migration for: ${query};`),
      ...files.map((path) => `${path} isn't what the migrations make: run "npm run schema" and commit it.`),
    ];
  } finally {
    await source.destroy();
  }
}

const [url] = parseArgs({ allowPositionals: true }).positionals;
const faults = await (url === undefined ? withScratchPostgres(faultsOf) : faultsOf(url));
for (const fault of faults) console.error(fault);
if (faults.length === 0) console.log('The migrations match the entities, and the files that show the schema.');
process.exitCode = faults.length === 0 ? 0 : 1;
