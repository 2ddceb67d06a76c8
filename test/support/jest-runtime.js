import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
/** Where jest-circus keeps the handlers of a spec's events. */
const EVENT_HANDLERS = Symbol.for('EVENT_HANDLERS');

/**
 * Loads specs and what they import as Node does, so that the specs of a worker share their modules. It has what
 * jest-runner and jest-circus ask of a runtime, https://jestjs.io/docs/configuration#runtime-string.
 */
export default class {
  /** jest-circus keeps the state of one spec, so each spec needs a new one. */
  requireInternalModule(path) {
    Reflect.deleteProperty(require.cache, path);
    Reflect.deleteProperty(globalThis, EVENT_HANDLERS);
    return require(path);
  }

  requireModule(path) {
    return require(path);
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  unstable_importModule(path) {
    return import(pathToFileURL(path).href);
  }

  getSourceMaps() {
    return new Map();
  }

  getAllCoverageInfoCopy() {
    return undefined;
  }

  setGlobalsForRuntime() {}
  enterTestCode() {}
  leaveTestCode() {}
  teardown() {}
}
