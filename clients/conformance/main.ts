import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import { RestartableServer } from '../../sdks/restartable-server.js';
import { inTemporaryFolder, ServerProcess } from '../../test/support/server-process.js';
import { play } from './play.js';
import { Program } from './program.js';
import { loadScenarios, type Scenario } from './scenario.js';

// npm run conformance -- --client "COMMAND": plays the scenarios of scenarios.json with a client, which is a program
// that the command starts, and which serves the HTTP API of README.md.

const { values } = parseArgs({
  options: {
    client: { type: 'string' },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '4' },
  },
});

/** Those that stop the server have it for themselves. */
const needsServerAlone = ({ steps }: Scenario): boolean => steps.some((step) => step.do === 'stop_server');

/** Those that wait for a token to expire. */
const isLong = ({ steps }: Scenario): boolean => steps.some((step) => step.do === 'expire_token');

/** Returns whether the scenario has gone well. */
async function tryOut(
  scenario: Scenario,
  command: string,
  server: RestartableServer,
  folder: string,
): Promise<boolean> {
  const started = performance.now();
  const storagePath = join(folder, scenario.name.replace(/\W+/g, '-'));
  await mkdir(storagePath);
  const failure = await play(scenario, command, server, storagePath).catch((error: unknown) => error as Error);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  if (failure) console.error(`FAILED ${scenario.name} (${seconds} s)\n  ${scenario.promise}\n  ${failure.message}\n`);
  else console.log(`ok ${scenario.name} (${seconds} s)`);
  return !failure;
}

async function main(folder: string): Promise<boolean> {
  const command = values.client;
  if (command === undefined) throw new Error('Say which client: --client "COMMAND"');
  const scenarios = loadScenarios('clients/conformance').filter(({ name }) => name.includes(values.only));
  const server = await RestartableServer.start(folder, { ACCESS_TOKEN_TTL: '20s' });
  const limit = pLimit(Number(values.jobs));
  const playOne = (scenario: Scenario): Promise<boolean> => tryOut(scenario, command, server, folder);
  const shared = scenarios.filter((scenario) => !needsServerAlone(scenario));
  // The longest first.
  shared.sort((one, other) => Number(isLong(other)) - Number(isLong(one)));
  const results = await Promise.all(shared.map((scenario) => limit(() => playOne(scenario))));
  for (const scenario of scenarios.filter(needsServerAlone)) results.push(await playOne(scenario));
  await server.stop();
  console.log(`${results.filter(Boolean).length} of ${results.length} scenarios`);
  return results.length > 0 && results.every(Boolean);
}

process.once('exit', () => Program.killAll());
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void ServerProcess.stopAll().finally(() => process.exit(130)));
}
try {
  process.exitCode = (await inTemporaryFolder((folder) => main(resolve(folder)))) ? 0 : 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await ServerProcess.stopAll();
  process.exit(); // A failure may have left something that keeps the process running.
}
