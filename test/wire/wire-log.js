import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the run's logs; test/support/global-setup.js makes it, and each process writes a file of its own. */
const { WIRE_LOG } = process.env;

/** What this process has written already, of each kind. */
const written = { seen: new Set(), fault: new Set() };

/**
 * Notes that something of the documents was seen, or that something seen is not as the documents say. `WireReporter`
 * reads the notes of all processes at the end of the run.
 * @param {'seen' | 'fault'} kind
 * @param {string} text
 */
export function note(kind, text) {
  if (written[kind].has(text)) return;
  written[kind].add(text);
  appendFileSync(join(WIRE_LOG, `${process.pid}.jsonl`), `${JSON.stringify([kind, text])}\n`);
}

/**
 * Runs a check inside a server. An error in it is a fault, too: the server would log it at most, and go on unchecked.
 * @param {string} what is checked
 * @param {() => void} check
 */
export function guard(what, check) {
  try {
    check();
  } catch (error) {
    note('fault', `${what} could not be compared: ${error.stack}`);
  }
}
