import { parseArgs } from 'node:util';
import { fullDataSource } from '../database/data-source.js';
import { differingFiles, schemaFiles } from './schema-files.js';
import { withScratchPostgres } from './scratch-postgres.js';

// `npm run migrations:check [URL]`: runs all migrations on an empty database, then undoes and redoes the newest. It
// exits 1 when the schema differs from the entities (where `typeorm migration:generate --check` would find SQL to
// write), or when a file of `npm run schema` differs from it. The database is the one at the URL, or a temporary one.
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
