import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartOf } from './chart.js';
import type { Environment } from './environment.js';
import type { Measured } from '../load/load-figures.js';

/** The results of a complete run. */
export interface Results extends Measured {
  readonly date: string;
  readonly seconds: number;
  readonly rounds: number;
  /** The messages in the database of the phase `history`. */
  readonly messages: number;
  readonly environment: Environment;
  readonly warnings: readonly string[];
}

/** Writes the JSON file and the chart, named by day and commit. Returns their paths. */
export function writeResults(results: Results, folder = 'bench/results'): string[] {
  mkdirSync(folder, { recursive: true });
  const name = join(folder, `${results.date.slice(0, 10)}-${results.environment.commit}`);
  writeFileSync(`${name}.json`, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(`${name}.svg`, chartOf(results));
  return [`${name}.json`, `${name}.svg`];
}
