import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source-options.js';

/**
 * A data source with every entity, for the commands `src/commands/check-migrations.ts` and
 * `src/commands/schema.ts`. The application doesn't use it: its modules load their own entities.
 */
export function fullDataSource(url: string): DataSource {
  return new DataSource({ ...dataSourceOptions(url, 2), entities: [join(import.meta.dirname, '../**/*.entity.js')] });
}
