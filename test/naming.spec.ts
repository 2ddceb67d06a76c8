import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Endings of file names that say what kind of text the file has; all others name the role of its class. */
const NO_ROLES = new Set(['spec', 'd', 'dto', 'entity', 'events', 'types', 'options', 'config', 'decorator', 'setup']);

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.[a-z]+\.ts$/.test(file))
  .map((file) => ({ file, role: basename(file).split('.').at(-2)! }))
  .filter(({ role }) => !NO_ROLES.has(role));

describe('the name of a source file', () => {
  it.each(files)('of $file names the role of its class', ({ file, role }) => {
    const ending = role.charAt(0).toUpperCase() + role.slice(1);
    expect(readFileSync(`src/${file}`, 'utf8')).toMatch(new RegExp(`^export class \\w+${ending}\\b`, 'm'));
  });
});
