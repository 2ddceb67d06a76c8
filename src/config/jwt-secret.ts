import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError } from '../common/errors/startup-error.js';

/**
 * The JWT secret of an application without JWT_SECRET, outside production. It is made on the first start and stored in
 * the data folder, so that access tokens stay valid after a restart.
 * @throws StartupError when the folder can't be written
 */
export function storedJwtSecret(dataDir: string): string {
  const file = join(dataDir, 'jwt-secret');
  try {
    mkdirSync(dataDir, { recursive: true });
    // wx: when two processes start at once, one creates the file and both read it.
    writeFileSync(file, randomBytes(48).toString('base64url'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new StartupError(`The data folder ${dataDir} can't be written (${code}).`);
  }
  return readFileSync(file, 'utf8').trim();
}
