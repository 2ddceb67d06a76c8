import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fullDataSource } from '../database/data-source.js';
import { FUNCTIONS_FOLDER, schemaFiles } from './schema-files.js';
import { withScratchPostgres } from './scratch-postgres.js';

// `npm run schema`: runs all migrations on a temporary empty database and writes the files that show its schema.
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
