import { runInContext } from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

/**
 * A global of jest's world is looked up in a proxy, which takes a hundred times as long as it should, and Nest, TypeORM
 * and our own code ask for these all the time. A constant beside the global object is found at once. It can't be put in
 * place of another value: what fake timers replace is not here.
 */
const CONSTANTS = [
  'AbortController',
  'AbortSignal',
  'AggregateError',
  'Array',
  'ArrayBuffer',
  'BigInt',
  'Boolean',
  'Buffer',
  'DataView',
  'Error',
  'Function',
  'JSON',
  'Map',
  'Math',
  'Number',
  'Object',
  'Promise',
  'Proxy',
  'RangeError',
  'Reflect',
  'RegExp',
  'Set',
  'String',
  'Symbol',
  'SyntaxError',
  'TypeError',
  'URL',
  'URLSearchParams',
  'Uint8Array',
  'WeakMap',
  'WeakRef',
  'WeakSet',
  'decodeURIComponent',
  'encodeURIComponent',
  'isNaN',
  'parseFloat',
  'parseInt',
  'process',
];

// At once when nothing is left to do: to take a large heap to pieces takes longer than jest waits for a worker.
process.once('beforeExit', () => process.exit());

/** Jest's environment for Node, with a short way to the globals. */
export default class extends TestEnvironment {
  constructor(...args) {
    super(...args);
    runInContext(`const { ${CONSTANTS.join(', ')} } = globalThis;`, this.getVmContext());
  }
}
