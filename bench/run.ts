import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../src/database/embedded-postgres.js';
import { connects, memory } from './phases/connect-phases.js';
import type { BenchContext } from './targets/bench-target.js';
import { postgresPid, readEnvironment } from './report/environment.js';
import { floods } from './phases/flood-phase.js';
import { history } from './phases/history-phase.js';
import { BenchTargets } from './targets/bench-targets.js';
import type { Measured } from './load/load-figures.js';
import { type Options, type PhaseName, readOptions } from './options.js';
import { figuresTable, loadsTable } from './report/report.js';
import { writeResults } from './report/results.js';
import { fanOut, hotManySenders, hotOneSender, pipelinedSends, sends } from './phases/send-phases.js';
import { LoadGenerator, Server } from './targets/servers.js';
import { RunProblem } from './load/send-run.js';
import { stalled } from './phases/stalled-phase.js';
import { storm } from './phases/storm-phase.js';

// `npm run bench`: compares the application with bare Socket.IO and with the baseline, on one separate PostgreSQL with
// default, durable settings. Exits with 1, and writes nothing, when a run isn't exact.

type TargetsPhase = (targets: BenchTargets, rounds: number) => Promise<Measured>;

const ON_TARGETS: Partial<Record<PhaseName, TargetsPhase>> = {
  sends,
  pipelined: pipelinedSends,
  'hot-one': hotOneSender,
  'hot-many': hotManySenders,
  fanout: fanOut,
  storm,
  stalled,
  connects,
};

/** The flags of Node with which people run the application. Every server of the bench gets them. */
function startFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  return scripts['start:prod']!.split(' ').filter((word) => word.startsWith('--'));
}

async function measureAll(bench: BenchContext, { phases, rounds, messages }: Options): Promise<Measured> {
  const all: Measured[] = [];
  const report = (measured: Measured): void => {
    all.push(measured);
    console.log(`\n${figuresTable(measured.figures)}`);
  };
  const onTargets = phases.filter((phase) => ON_TARGETS[phase]);
  if (onTargets.length > 0) {
    const targets = await BenchTargets.start(bench);
    for (const phase of onTargets) report(await ON_TARGETS[phase]!(targets, rounds));
    await targets.finish();
  }
  if (phases.includes('memory')) report(await memory(bench, rounds));
  if (phases.includes('floods')) report(await floods(bench, rounds));
  if (phases.includes('history')) report(await history(bench, rounds, messages));
  return { figures: all.flatMap(({ figures }) => figures), loads: all.flatMap(({ loads }) => loads) };
}

async function run(options: Options): Promise<void> {
  const start = performance.now();
  const environment = await readEnvironment(postgres.url);
  const profile = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`];
  const bench = {
    dist: options.dist,
    folder,
    databaseUrl: postgres.url,
    postgres: await postgresPid(postgres.url),
    generator,
    nodeFlags: [...startFlags(), ...profile],
  };
  const { figures, loads } = await measureAll(bench, options);
  const seconds = Math.round((performance.now() - start) / 1_000);
  const warnings = loads.flatMap((load) => load.warnings);
  if (loads.length > 0) {
    console.log(`\nUnder load: medians, and shares of a core\n${loadsTable(loads)}`);
    for (const warning of warnings) console.log(`Mind: ${warning}.`);
    console.log('\nEvery message that was acked is stored once and was delivered once.');
  }
  console.log(`\n${seconds} s`);
  if (!options.complete) return;
  const { rounds, messages } = options;
  const date = new Date().toISOString();
  console.log(writeResults({ date, seconds, rounds, messages, environment, warnings, figures, loads }).join('\n'));
}

const options = readOptions();
const folder = await mkdtemp(join(tmpdir(), 'windi-bench-'));
const postgres = await EmbeddedPostgres.start(folder);
const generator = new LoadGenerator();

async function cleanUp(): Promise<void> {
  generator.stop();
  Server.killAll();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
}
try {
  await run(options);
} catch (error) {
  const reason = error instanceof RunProblem ? `the run wasn't exact:\n${error.message}` : (error as Error).stack;
  console.error(`\nNo result: ${reason}`);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
