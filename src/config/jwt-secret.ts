import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError } from '../common/errors/startup-error.js';

/**
 * The secret kept in the data folder, made on the first start so that tokens outlive a restart.
 * @throws StartupError when the folder can't be written.
 */
export function keptJwtSecret(dataDir: string): string {
  const file = join(dataDir, 'jwt-secret');
  try {
    mkdirSync(dataDir, { recursive: true });
    // wx: of two processes that start at once, one creates the file and both read that one.
    writeFileSync(file, randomBytes(48).toString('base64url'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new StartupError(`The data folder ${dataDir} can't be written (${code}).`);
  }
  return readFileSync(file, 'utf8').trim();
}
