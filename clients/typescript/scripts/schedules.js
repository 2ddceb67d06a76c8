// Runs many random schedules of faults: `npm run test:schedules -- --runs 200 --seed 1`.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '10000' }, seed: { type: 'string' } } });
const env = { ...process.env, SCHEDULE_RUNS: values.runs, ...(values.seed && { SCHEDULE_SEED: values.seed }) };
const args = ['jest', '--config', 'jest.client.config.js', '-i', 'clients/typescript/test/schedules.spec.ts'];
process.exitCode = spawnSync('npx', args, { env, stdio: 'inherit' }).status ?? 1;
