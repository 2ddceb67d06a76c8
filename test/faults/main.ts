import { parseArgs } from 'node:util';
import { ServerProcess } from '../support/server-process.js';
import { findBugs } from './bugs.js';
import { Cluster } from './cluster.js';
import { explain, report } from './report.js';
import { run } from './run.js';

// npm run test:faults: injects faults into a cluster under load, and checks what its clients have seen.

const USAGE = 'npm run test:faults -- [--seed 1] [--minutes 2] [--bugs | --bug NAME]';

interface Options {
  readonly seed: number;
  readonly minutes: number;
  /** Runs clusters with a bug instead, to test the checker. */
  readonly bugs: boolean;
  readonly bug: string | undefined;
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string' },
        minutes: { type: 'string', default: '2' },
        bugs: { type: 'boolean', default: false },
        bug: { type: 'string' },
      },
    });
    const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
    const minutes = Number(values.minutes);
    if (!Number.isSafeInteger(seed) || !(minutes > 0))
      throw new Error('A seed is a whole number, minutes are above 0.');
    return { seed, minutes, bugs: values.bugs || values.bug !== undefined, bug: values.bug };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** Runs the cluster without a bug. Returns whether every rule was kept. */
async function checkCorrectCluster({ seed, minutes }: Options): Promise<boolean> {
  console.log(`Seed ${seed}: npm run test:faults -- --seed ${seed} --minutes ${minutes}`);
  const result = await run({ seed, durationMs: minutes * 60_000, pauseMs: 7_500 });
  console.log(report(result));
  if (result.verdict.violations.length > 0) console.error(explain(result.verdict));
  return result.verdict.violations.length === 0;
}

process.once('exit', () => ServerProcess.killAll());
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void Cluster.stopAll().finally(() => process.exit(130)));
}
const options = readOptions();
try {
  const isWell = options.bugs ? await findBugs(options.seed, options.bug) : await checkCorrectCluster(options);
  process.exitCode = isWell ? 0 : 1;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await Cluster.stopAll();
  process.exit(); // A failure may have left something that keeps the process running.
}
