import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namedByAsyncApi, namedByOpenApi } from './named.js';

/**
 * A reporter of jest that fails a run in which the server has sent, or accepted, what the documents don't allow, and a
 * full run in which no test has seen something that the documents name.
 */
export default class WireReporter {
  faults = [];

  /** With `seesAll`, all specs of the configuration together are asked whether they have seen what the documents name. */
  constructor(globalConfig, { seesAll = false } = {}) {
    const { testNamePattern, testPathPatterns, onlyChanged, shard } = globalConfig;
    this.isFull = seesAll && !testNamePattern && testPathPatterns.patterns.length === 0 && !onlyChanged && !shard;
  }

  onRunComplete(_contexts, { numFailedTests, numFailedTestSuites }) {
    const notes = notesIn(process.env.WIRE_LOG);
    this.faults = notes.filter(([kind]) => kind === 'fault').map(([, text]) => text);
    if (this.isFull && numFailedTests + numFailedTestSuites === 0) {
      const seen = new Set(notes.map(([, text]) => text));
      const unseen = [...namedByOpenApi(), ...namedByAsyncApi()].filter((text) => !seen.has(text));
      this.faults.push(...unseen.map((text) => `no test has seen: ${text}`));
    }
    // Jest fails the run for `getLastError`, and doesn't print it.
    if (this.faults.length > 0) process.stderr.write(`\n${this.message()}\n`);
  }

  getLastError() {
    return this.faults.length > 0 ? new Error(this.message()) : undefined;
  }

  message() {
    return `The wire is not as openapi.json and asyncapi.json say:\n${this.faults.sort().join('\n')}`;
  }
}

/** What the processes of the run have noted, each thing once. */
function notesIn(folder) {
  const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'));
  return [...new Set(lines)].filter(Boolean).map((line) => JSON.parse(line));
}
