import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartOf } from './chart.js';
import type { Environment } from './environment.js';
import type { Measured } from '../load/load-figures.js';

/** A whole run. */
export interface Results extends Measured {
  readonly date: string;
  readonly seconds: number;
  readonly rounds: number;
  /** In the database of the phase `history`. */
  readonly messages: number;
  readonly environment: Environment;
  readonly warnings: readonly string[];
}

/** Writes the JSON and the picture, named by day and commit; the paths. */
export function writeResults(results: Results, folder = 'bench/results'): string[] {
  mkdirSync(folder, { recursive: true });
  const name = join(folder, `${results.date.slice(0, 10)}-${results.environment.commit}`);
  writeFileSync(`${name}.json`, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(`${name}.svg`, chartOf(results));
  return [`${name}.json`, `${name}.svg`];
}
