import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Check } from './check.js';
import { checks } from './checks.js';

// npm run test:mutations: removes each check from a copy of the project, one at a time, and runs the specs that must fail
// without it.

/** Copies of the project that are tested at once. */
const COPIES = 2;
const JEST = 'node_modules/jest/bin/jest.js';
const JEST_OPTIONS = ['--runInBand', '--forceExit', '--testEnvironmentOptions', '{"endAtFirstFailure":true}'];

/** The part of jest's report that is used here. */
interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** `red`: a test has failed, named in `because`. `unknown`: the specs could not be run. */
interface Verdict {
  readonly word: 'red' | 'green' | 'unknown';
  readonly because: string;
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });

const specsOf = ({ red = ['test/access'] }: Check): readonly string[] => red;

/** A folder with the files that git knows of the project, and its build. */
function copyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'windi-mutations-'));
  const files = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  for (const file of files.stdout.split('\0').filter(Boolean)) cpSync(file, join(folder, file));
  cpSync('dist', join(folder, 'dist'), { recursive: true });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Runs a Node program in `folder`. Returns its exit code. */
function node(folder: string, args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' });
  return new Promise((done) => child.once('close', done));
}

/** Builds the project. Only migrations need it: the specs run them compiled, and all else from the source. */
const build = (folder: string): Promise<number | null> =>
  node(folder, ['node_modules/@nestjs/cli/bin/nest.js', 'build']);

async function verdictOf(folder: string, specs: readonly string[]): Promise<Verdict> {
  const path = join(folder, 'report.json');
  rmSync(path, { force: true });
  await node(folder, [JEST, ...JEST_OPTIONS, '--json', `--outputFile=${path}`, ...specs]);
  if (!existsSync(path)) return { word: 'unknown', because: 'not run to the end' };
  const { numPassedTests, testResults } = JSON.parse(readFileSync(path, 'utf8')) as Report;
  const failed = testResults.flatMap((file) => file.assertionResults).find(({ status }) => status === 'failed');
  if (failed) return { word: 'red', because: failed.fullName };
  return numPassedTests > 0 ? { word: 'green', because: '' } : { word: 'unknown', because: 'no test ran' };
}

async function verdictWithout(folder: string, check: Check): Promise<Verdict> {
  const path = join(folder, check.file);
  const original = readFileSync(path, 'utf8');
  const isMigration = check.file.startsWith('migrations/');
  writeFileSync(
    path,
    original.replace(check.cut, () => check.put ?? ''),
  );
  try {
    if (isMigration && (await build(folder)) !== 0) return { word: 'unknown', because: 'not built' };
    return await verdictOf(folder, specsOf(check));
  } finally {
    writeFileSync(path, original);
    if (isMigration) await build(folder);
  }
}

const show = ({ word, because }: Verdict, name: string): void =>
  console.log(`${word.padEnd(8)} ${name}${because && `\n         ${because}`}`);

/** Tests checks of the queue until it is empty. */
async function work(folder: string, queue: Check[], verdicts: Verdict[]): Promise<void> {
  for (let check; (check = queue.shift());) {
    const verdict = await verdictWithout(folder, check);
    verdicts.push(verdict);
    show(verdict, check.name);
  }
}

/** Whether specs that pass with these checks fail without each of them. */
async function areTested(checks: readonly Check[]): Promise<boolean> {
  const folders = Array.from({ length: COPIES }, copyProject);
  try {
    const whole = await verdictOf(folders[0]!, [...new Set(checks.flatMap(specsOf))]);
    show(whole, 'no check removed');
    if (whole.word !== 'green') return false;
    const queue = [...checks];
    const verdicts: Verdict[] = [];
    await Promise.all(folders.map((folder) => work(folder, queue, verdicts)));
    const red = verdicts.filter(({ word }) => word === 'red').length;
    console.log(`The specs fail without ${red} of ${checks.length} checks.`);
    return red === checks.length;
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = (await areTested(checks.filter(({ name, file }) => `${name} ${file}`.includes(values.only))))
  ? 0
  : 1;
