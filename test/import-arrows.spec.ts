import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { COMMON_ROOMS, FEATURES, REALTIME_ROOMS } from '../import-arrows.js';

/** Which of its sibling folders the files of a folder import from. */
function importsOf(parent: string, folder: string): string[] {
  const files = readdirSync(join(parent, folder), { recursive: true, encoding: 'utf8' });
  const found = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const path = join(parent, folder, file);
      const imports = readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g);
      return [...imports].map(([, target]) => relative(parent, join(dirname(path), target!)).split('/')[0]!);
    });
  return [...new Set(found)];
}

describe('import-arrows.js', () => {
  it.each([
    ['features', 'src', FEATURES],
    ['rooms of realtime', 'src/realtime', REALTIME_ROOMS],
    ['rooms of common', 'src/common', COMMON_ROOMS],
  ])('lists exactly the imports in use between the %s', (_, parent, arrows) => {
    const folders = Object.keys(arrows);
    const inUse = folders.map((folder) => {
      const others = importsOf(parent, folder).filter((other) => other !== folder && folders.includes(other));
      return [folder, others.sort()];
    });
    expect(Object.fromEntries(inUse)).toEqual(arrows);
  });
});
