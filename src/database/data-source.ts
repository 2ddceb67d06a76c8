import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source-options.js';

/** A data source that knows every entity, for the TypeORM CLI and the drift check; the application loads its own through its modules. */
export function fullDataSource(url: string): DataSource {
  return new DataSource({ ...dataSourceOptions(url, 2), entities: [join(import.meta.dirname, '../**/*.entity.js')] });
}
