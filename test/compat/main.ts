import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { changesBetween, isBreaking } from './oasdiff.js';
import { comparable, DOCUMENTS, mayBreak, read, readReleased, release } from './released.js';
import { judgeSamples } from './samples.js';

// npm run compat:check: compares openapi.json and asyncapi.json with those of the last release, and exits 1 when clients
// of that would break and the version doesn't say so. Needs Go.
// -- --samples: makes changes of each kind to the released documents, and exits 1 when one is judged wrongly.
// -- --release: makes the documents of today those of the last release.

/** Prints the changes. @returns whether the version allows them */
async function compare(): Promise<boolean> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  let isAllowed = true;
  for (const name of DOCUMENTS) {
    const released = readReleased(name);
    const changes = await changesBetween(comparable(name, released), comparable(name, read(name)));
    console.log(`${name}: ${changes.length} changes since ${released.info.version}`);
    for (const change of changes) {
      const where = [change.operation, change.path].filter(Boolean).join(' ');
      console.log(`  ${isBreaking(change) ? 'BREAKING' : 'additive'}  ${where}: ${change.text} (${change.id})`);
    }
    const mayNot = !mayBreak(released.info.version, version);
    if (mayNot && changes.some(isBreaking)) isAllowed = false;
  }
  if (!isAllowed) console.error(`\n${version} may not break what was released: see docs/compatibility.md.`);
  return isAllowed;
}

const { values } = parseArgs({ options: { samples: { type: 'boolean' }, release: { type: 'boolean' } } });
if (values.release) {
  release();
} else if (!(await (values.samples ? judgeSamples() : compare()))) {
  process.exitCode = 1;
}
