import { parseArgs } from 'node:util';
import { explain, report } from './report.js';
import { run, stopAll } from './run.js';

// npm run test:faults: kills, stops and cuts a cluster under load, and checks what its clients have seen.

const USAGE = 'npm run test:faults -- [--seed 1] [--minutes 2]';

function readOptions(): { seed: number; minutes: number } {
  try {
    const { values } = parseArgs({
      options: { seed: { type: 'string' }, minutes: { type: 'string', default: '2' } },
    });
    const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
    const minutes = Number(values.minutes);
    if (!Number.isSafeInteger(seed) || !(minutes > 0))
      throw new Error('A seed is a whole number, minutes are above 0.');
    return { seed, minutes };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().finally(() => process.exit(130)));
}
const { seed, minutes } = readOptions();
try {
  console.log(`Seed ${seed}, ${minutes} minutes: npm run test:faults -- --seed ${seed} --minutes ${minutes}`);
  const result = await run({ seed, forMs: minutes * 60_000, restMs: 7_500 });
  console.log(report(result));
  if (result.verdict.violations.length > 0) {
    console.error(explain(result.verdict));
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stopAll();
}
