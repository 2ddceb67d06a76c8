import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { inTemporaryFolder, ServerProcess } from '../support/server-process.js';
import { PASSWORD, populate } from './populate.js';

// npm run test:schemathesis: Schemathesis makes requests from openapi.json, good and bad ones, sends them to the built
// application, and compares what comes back with that document. What comes after `--` is passed on to it, such as
// `--seed 7`, or `--include-operation-id sendMessage`.

const HERE = resolve('test/schemathesis');

/** Runs a program to its end. @returns its exit code, null when a signal ended it */
async function run(
  cwd: string,
  env: Record<string, string>,
  program: string,
  ...args: string[]
): Promise<number | null> {
  const child = spawn(program, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

/** Installs Schemathesis in a folder of its own. @returns its path */
async function installSchemathesis(dir: string): Promise<string> {
  const venv = join(dir, 'venv');
  const packages = join(HERE, 'requirements.txt');
  const isInstalled =
    (await run(dir, {}, 'python3', '-m', 'venv', venv)) === 0 &&
    (await run(dir, {}, join(venv, 'bin/pip'), 'install', '--quiet', '--no-deps', '--requirement', packages)) === 0;
  if (!isInstalled) throw new Error('Schemathesis was not installed: it needs Python 3.11 or later, with venv.');
  return join(venv, 'bin/schemathesis');
}

async function check(dir: string): Promise<number | null> {
  const schemathesis = await installSchemathesis(dir);
  const server = ServerProcess.start(dir, { RATE_LIMIT: 'off', LOG_LEVEL: 'warn' });
  try {
    const url = await server.url();
    const env = { WINDI_URL: url, WINDI_TOKEN: await populate(url), WINDI_PASSWORD: PASSWORD };
    const config = join(HERE, 'schemathesis.toml');
    const args = ['--config-file', config, 'run', resolve('openapi.json'), '--url', url, ...process.argv.slice(2)];
    return await run(dir, { ...env, PYTHONPATH: HERE, PYTHONDONTWRITEBYTECODE: '1' }, schemathesis, ...args);
  } finally {
    // By a signal that it can act on, so that it ends its PostgreSQL, too.
    await server.stop('SIGTERM');
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void ServerProcess.stopAll().finally(() => process.exit(130)));
}
process.exitCode = (await inTemporaryFolder(check)) ?? 1;
