import { register } from 'node:module';
import { ModuleMocker } from 'jest-mock';

register('./typescript-hooks.js', import.meta.url);
process.setSourceMapsEnabled(true);
// At once when nothing is left to do: to take a large heap to pieces takes longer than jest waits for a worker.
const exit = process.exit.bind(process);
process.once('beforeExit', () => exit());

/**
 * Jest's environment of a spec: the worker itself. By default each spec has a world of its own, into which all modules
 * are loaded again, some two seconds of CPU, and where each global is looked up in a proxy. Our specs need no such
 * isolation: each has its own application and database. `jest-runtime.js` belongs to it.
 */
export default class {
  global = globalThis;
  fakeTimers = null;
  fakeTimersModern = null;

  constructor({ projectConfig }) {
    Object.assign(globalThis, projectConfig.globals, { jest: new ModuleMocker(globalThis) });
  }

  getVmContext() {
    return null;
  }

  setup() {
    // Jest's own mapping of stack traces, which only knows files that it has compiled, hides that of Node.
    Error.prepareStackTrace = undefined;
  }

  teardown() {}
}
