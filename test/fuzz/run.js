/** `npm run test:fuzz -- --seed N --runs N`: the fuzzer alone, by default 100,000 inputs from a random seed. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seed: { type: 'string' }, runs: { type: 'string', default: '100000' } } });
const seed = values.seed ?? String(Math.floor(Math.random() * 1e9));
const { status } = spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', 'test/fuzz'], {
  stdio: 'inherit',
  env: { ...process.env, FUZZ_SEED: seed, FUZZ_RUNS: values.runs, FUZZ_KEEP: 'yes' },
});
process.exitCode = status ?? 1;
