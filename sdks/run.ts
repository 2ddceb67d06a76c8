import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inTemporaryFolder, ServerProcess } from '../test/support/server-process.js';
import { type Sdk, SDKS, SOCKET_CLIENTS, SOCKET_STEPS, STEPS } from './catalogue.js';
import { type Command, endCommands, isInstalled, runCommand } from './command.js';
import { RestartableServer } from './restartable-server.js';
import { TomorrowProxy } from './tomorrow.js';

// npm run sdks: lints openapi.json and asyncapi.json, generates an SDK from openapi.json by each generator, checks it
// strictly, and lets it go through a journey against the built server. Clients of the sockets go through a journey of
// their own.

const FOLDER = 'sdks';
const LINTERS: readonly Command[] = [
  ['node_modules/.bin/redocly', 'lint', '../openapi.json', '--max-problems=1000'],
  ['node_modules/.bin/spectral', 'lint', '../openapi.json', '--fail-severity=hint'],
  ['node', 'lint-asyncapi.js'],
];
/** What redocly prints when it has found nothing, not even a warning that doesn't let it fail. */
const NO_WARNINGS = /Your API description is valid(?!.*warning)/s;

interface Row {
  readonly sdk: string;
  readonly version: string;
  /** Those that the catalogue explains. */
  readonly warnings: number;
  readonly result: string;
  readonly seconds: number;
}

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, lint: { type: 'boolean', default: false } },
});

const inFolder = (name: string): string => join(FOLDER, name);

async function lint(): Promise<void> {
  const [redocly] = await Promise.all(LINTERS.map((linter) => runCommand(FOLDER, linter)));
  if (!NO_WARNINGS.test(redocly!)) throw new Error(redocly);
  console.log('openapi.json: no problem found by redocly and spectral; asyncapi.json: none by its parser');
}

/** Splits the warnings in an output into those that the catalogue explains and others. */
function warningsIn(output: string, { known = [] }: Sdk): { explained: string[]; others: string[] } {
  const warnings = output.split('\n').filter((line) => /\bwarn(ing)?s?\b|^w: /i.test(line));
  const isKnown = (line: string): boolean => known.some(({ pattern }) => pattern.test(line));
  return { explained: warnings.filter(isKnown), others: warnings.filter((line) => !isKnown(line)) };
}

/** Generates and checks an SDK. Returns how many warnings came that the catalogue explains. @throws Error for any other */
async function build(sdk: Sdk): Promise<number> {
  const folder = inFolder(sdk.name);
  rmSync(join(folder, 'generated'), { recursive: true, force: true });
  let output = '';
  for (const command of sdk.build) output += await runCommand(folder, command);
  const { explained, others } = warningsIn(output, sdk);
  if (others.length > 0) throw new Error(`warnings that sdks/catalogue.ts does not explain:\n${others.join('\n')}`);
  return explained.length;
}

/** Lets an SDK go through its journey. @throws Error when a step fails or is left out */
async function travel(
  { name, journey }: Sdk,
  wanted: readonly string[],
  env: NodeJS.ProcessEnv,
  listen?: (output: string) => void,
): Promise<void> {
  const output = await runCommand(inFolder(name), journey, env, listen);
  process.stdout.write(output.trimEnd().replace(/^/gm, `  ${name}: `) + '\n');
  const steps = [...output.matchAll(/^ok (.+)$/gm)].map(([, step]) => step!);
  if (steps.join() !== wanted.join()) throw new Error(`not the steps of sdks/catalogue.ts: ${steps.join(', ')}`);
}

/** Lets a client go through the journey of the sockets, and restarts its server when the client is ready for that. */
async function travelOnSockets(client: Sdk, server: RestartableServer): Promise<void> {
  let restart: Promise<void> | undefined;
  const listen = (output: string): void => {
    if (restart || !/^ready$/m.test(output)) return;
    restart = server.restart();
    restart.catch(() => undefined); // It is thrown below.
  };
  try {
    await travel(client, SOCKET_STEPS, { WINDI_URL: server.url }, listen);
  } finally {
    await restart;
  }
}

/** Builds an SDK, and lets it go through its journey. */
async function tryOut(sdk: Sdk, journey: () => Promise<void>): Promise<Row> {
  const [file, pattern] = sdk.pin;
  const version = pattern.exec(readFileSync(inFolder(file), 'utf8'))![1]!;
  const missing = sdk.tools.filter((tool) => !isInstalled(tool));
  const row = { sdk: sdk.name, version, warnings: 0, result: 'ok', seconds: 0 };
  console.log(`\n${sdk.name} ${version}`);
  if (missing.length > 0) {
    console.log(`  not tried: needs ${missing.join(', ')}`);
    return { ...row, result: process.env.CI ? 'failed' : 'skipped' };
  }
  const started = performance.now();
  const secondsSince = (): number => Math.round((performance.now() - started) / 1_000);
  try {
    const warnings = await build(sdk);
    await journey();
    return { ...row, warnings, seconds: secondsSince() };
  } catch (error) {
    console.error(`${sdk.name}: ${(error as Error).message}`);
    return { ...row, result: 'failed', seconds: secondsSince() };
  }
}

/** Tries generated SDKs, one after the other, on one server. */
async function tryAll(sdks: readonly Sdk[]): Promise<Row[]> {
  if (sdks.length === 0) return [];
  return inTemporaryFolder(async (folder) => {
    const server = ServerProcess.start(folder, { RATE_LIMIT: 'off', LOG_LEVEL: 'error' });
    const url = await server.url();
    const tomorrow = await TomorrowProxy.inFrontOf(url);
    const rows: Row[] = [];
    const env = { WINDI_URL: url, WINDI_TOMORROW_URL: tomorrow.url };
    for (const sdk of sdks) rows.push(await tryOut(sdk, () => travel(sdk, STEPS, env)));
    tomorrow.close();
    await server.stop('SIGTERM');
    return rows;
  });
}

/** Tries a client of the sockets on a server of its own, which is restarted during its journey. */
async function tryOnSockets(client: Sdk): Promise<Row> {
  return inTemporaryFolder(async (folder) => {
    const server = await RestartableServer.start(folder);
    const row = await tryOut(client, () => travelOnSockets(client, server));
    await server.stop();
    return row;
  });
}

/** Returns whether all is well. */
async function main(): Promise<boolean> {
  await runCommand('.', ['npm', 'ci', '--prefix', FOLDER]);
  await lint();
  if (values.lint) return true;
  const chosen = (sdks: readonly Sdk[]): Sdk[] => sdks.filter(({ name }) => name.includes(values.only));
  const rows = await tryAll(chosen(SDKS));
  // Side by side: most of their time they wait for tokens to expire and for servers to start.
  rows.push(...(await Promise.all(chosen(SOCKET_CLIENTS).map(tryOnSockets))));
  console.table(rows);
  return rows.length > 0 && rows.every(({ result }) => result !== 'failed');
}

process.once('exit', endCommands);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void ServerProcess.stopAll().finally(() => process.exit(130)));
}
try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await ServerProcess.stopAll();
  process.exit(); // A failure may have left something that keeps the process running.
}
