import { register } from 'node:module';
import { ModuleMocker } from 'jest-mock';
import { checkHttpAnswers } from '../wire/http-answers.js';
import { checkSockets } from '../wire/socket-frames.js';

register('./typescript-hooks.js', import.meta.url);
checkHttpAnswers();
checkSockets({
  ...(await import('../../src/realtime/plain/plain-transport.ts')),
  ...(await import('../../src/realtime/plain/plain-translator.ts')),
});
process.setSourceMapsEnabled(true);
// At once when nothing is left to do: to take a large heap to pieces takes longer than jest waits for a worker.
const exit = process.exit.bind(process);
process.once('beforeExit', () => exit());

/**
 * Jest's environment of a spec: the worker itself. By default each spec has a world of its own, into which all modules
 * are loaded again, some two seconds of CPU, and where each global is looked up in a proxy. Our specs need no such
 * isolation: each has its own application and database. `jest-runtime.js` belongs to it.
 *
 * The option `endAtFirstFailure` skips what follows a failed test, in this spec and in the worker's next ones. Jest's
 * own `bail` looks only between specs, and writes no report.
 */
export default class Environment {
  static hasFailed = false;

  global = globalThis;
  fakeTimers = null;
  fakeTimersModern = null;

  constructor({ projectConfig }) {
    this.endsAtFirstFailure = projectConfig.testEnvironmentOptions.endAtFirstFailure === true;
    Object.assign(globalThis, projectConfig.globals, { jest: new ModuleMocker(globalThis) });
  }

  getVmContext() {
    return null;
  }

  setup() {
    // Jest's own mapping of stack traces, which only knows files that it has compiled, hides that of Node.
    Error.prepareStackTrace = undefined;
  }

  /** The events of jest-circus: a test or a hook that failed, and what is about to begin. */
  handleTestEvent({ name, test, describeBlock }) {
    if (name === 'test_fn_failure' || name === 'hook_failure') Environment.hasFailed = true;
    if (!this.endsAtFirstFailure || !Environment.hasFailed) return;
    if (name === 'test_start') test.mode = 'skip';
    if (name === 'run_describe_start') describeBlock.mode = 'skip';
  }

  teardown() {}
}
