import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Endings of file names that give the kind of content. All other endings name the role of the class in the file. */
const NO_ROLES = new Set(['spec', 'd', 'dto', 'entity', 'events', 'types', 'options', 'config', 'decorator', 'setup']);

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.[a-z]+\.ts$/.test(file))
  .map((file) => ({ file, role: basename(file).split('.').at(-2)! }))
  .filter(({ role }) => !NO_ROLES.has(role));

describe('naming', () => {
  it.each(files)('matches the file name to the role of the class: $file', ({ file, role }) => {
    const ending = role.charAt(0).toUpperCase() + role.slice(1);
    expect(readFileSync(`src/${file}`, 'utf8')).toMatch(new RegExp(`^export class \\w+${ending}\\b`, 'm'));
  });
});
