// Runs many random schedules of faults: `npm run test:schedules -- --runs 200 --seed 1`.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '10000' }, seed: { type: 'string' } } });
const seed = values.seed ?? String(randomInt(2 ** 31));
console.log(`npm run test:schedules -- --runs ${values.runs} --seed ${seed}`);
const env = { ...process.env, SCHEDULE_RUNS: values.runs, SCHEDULE_SEED: seed };
const args = ['jest', '--config', 'jest.client.config.js', '-i', 'clients/typescript/test/schedules.spec.ts'];
process.exitCode = spawnSync('npx', args, { env, stdio: 'inherit' }).status ?? 1;
