import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { parentOf } from '../targets/cpu.js';
import { withDatabase } from '../targets/dataset.js';

/** The machine and the versions that were measured. */
export interface Environment {
  readonly commit: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGiB: number; readonly os: string };
  readonly node: string;
  readonly postgresql: Record<'server_version' | 'fsync' | 'synchronous_commit' | 'wal_sync_method', string>;
  readonly packages: Record<string, string>;
}

const PACKAGES = ['@nestjs/core', 'fastify', 'socket.io', 'engine.io', 'ws', 'typeorm', 'pg'];

export async function readEnvironment(databaseUrl: string): Promise<Environment> {
  return {
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      os: `${platform()} ${release()} ${arch()}`,
    },
    node: process.version,
    postgresql: {
      server_version: await setting(databaseUrl, 'server_version'),
      fsync: await setting(databaseUrl, 'fsync'),
      synchronous_commit: await setting(databaseUrl, 'synchronous_commit'),
      wal_sync_method: await setting(databaseUrl, 'wal_sync_method'),
    },
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

/** The process id of the PostgreSQL at `url`: the parent of the backend that answers. */
export function postgresPid(url: string): Promise<number> {
  return withDatabase(url, async (db) => {
    const { rows } = await db.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return parentOf(rows[0]!.pid);
  });
}

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
    const changed = git('status', '--porcelain', '--', 'src', 'migrations', 'bench/*.ts', 'package-lock.json') !== '';
    return `${git('rev-parse', '--short=8', 'HEAD')}${changed ? '-changed' : ''}`;
  } catch {
    return 'unknown'; // Not a Git checkout.
  }
}

function setting(databaseUrl: string, name: string): Promise<string> {
  return withDatabase(databaseUrl, async (db) => {
    const { rows } = await db.query<{ value: string }>('SELECT current_setting($1) AS value', [name]);
    return rows[0]!.value;
  });
}

function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string };
  return version;
}
