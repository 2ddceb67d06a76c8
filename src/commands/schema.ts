import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fullDataSource } from '../database/data-source.js';
import { FUNCTIONS_FOLDER, schemaFiles } from './schema-files.js';
import { withScratchPostgres } from './scratch-postgres.js';

// Writes the files that show the schema, from an empty database after all migrations.
const files = await withScratchPostgres(async (url) => {
  const source = await fullDataSource(url).initialize();
  try {
    await source.runMigrations();
    return await schemaFiles(source);
  } finally {
    await source.destroy();
  }
});
rmSync(FUNCTIONS_FOLDER, { recursive: true, force: true });
mkdirSync(FUNCTIONS_FOLDER);
for (const { path, text } of files) writeFileSync(path, text);
