import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

// The command line of `npm run bench`.

export const PHASES = [
  'sends',
  'pipelined',
  'hot-one',
  'hot-many',
  'fanout',
  'storm',
  'stalled',
  'connects',
  'memory',
  'history',
  'floods',
] as const;
export type PhaseName = (typeof PHASES)[number];

/** The phases of a complete run. The floods take twenty minutes more, and measure something else than speed. */
const COMPLETE = PHASES.filter((phase) => phase !== 'floods');

export interface Options {
  readonly phases: readonly PhaseName[];
  readonly rounds: number;
  /** How many messages the database of the phase `history` has. */
  readonly messages: number;
  /** The built application: a folder with `src/main.js` in it. */
  readonly dist: string;
  /** The folder in which every server writes a CPU profile. */
  readonly profile: string | undefined;
  /** Whether the results are written to the results folder: all phases, of this checkout, without profiles. */
  readonly complete: boolean;
}

const USAGE = `npm run bench -- [--only ${PHASES.slice(0, 2).join(',')},…] [--rounds 3] [--messages 2000000] [--dist dist] [--profile FOLDER]
phases: ${PHASES.join(', ')}`;

/** Reads the command line. Exits with 2 when it is invalid. */
export function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string' },
        rounds: { type: 'string' },
        messages: { type: 'string', default: '2000000' },
        dist: { type: 'string' },
        profile: { type: 'string' },
      },
    });
    return {
      phases: values.only === undefined ? COMPLETE : values.only.split(',').map(phase),
      rounds: atLeast(1, values.rounds ?? (values.only === 'floods' ? '5' : '3')),
      messages: atLeast(2_000_000, values.messages),
      dist: resolve(values.dist ?? 'dist'),
      profile: values.profile === undefined ? undefined : resolve(values.profile),
      complete: values.only === undefined && values.dist === undefined && values.profile === undefined,
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

function phase(name: string): PhaseName {
  const known = PHASES.find((candidate) => candidate === name);
  if (!known) throw new Error(`There is no phase "${name}".`);
  return known;
}

function atLeast(min: number, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min) throw new Error(`${text} isn't a whole number from ${min} on.`);
  return value;
}
