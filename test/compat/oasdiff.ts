import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const OASDIFF = 'github.com/oasdiff/oasdiff@v1.37.0';

/** Where our policy differs from that of oasdiff: docs/compatibility.md. */
const LEVELS = resolve('test/compat/oasdiff-levels.txt');

/** A difference between two documents. */
export interface Change {
  /** Of the rule of oasdiff. */
  readonly id: string;
  readonly text: string;
  /** 1 for what clients don't notice, 2 for what might break one, 3 for what breaks one. */
  readonly level: number;
  readonly operation?: string;
  readonly path?: string;
}

/** All changes between two OpenAPI documents, breaking or not. @throws Error when they can't be compared */
export async function changesBetween(released: object, current: object): Promise<Change[]> {
  const dir = await mkdtemp(join(tmpdir(), 'windi-compat-'));
  try {
    const files = [join(dir, 'released.json'), join(dir, 'current.json')] as const;
    await writeFile(files[0], JSON.stringify(released));
    await writeFile(files[1], JSON.stringify(current));
    const args = ['run', OASDIFF, 'changelog', ...files, '--format', 'json', '--severity-levels', LEVELS];
    const { stdout } = await promisify(execFile)('go', args, { maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim() === '' ? [] : (JSON.parse(stdout) as Change[]);
  } finally {
    await rm(dir, { recursive: true });
  }
}

export const isBreaking = ({ level }: Change): boolean => level > 1;
