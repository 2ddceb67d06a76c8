/**
 * Runs in the process of the application (`node --import`) and writes to stderr what can't be seen from outside:
 * uncaught exceptions and rejections, and, on SIGUSR2, changes of `Object.prototype` and the memory in use.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');
const clean = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
let reports = 0;

const print = (what) => process.stderr.write(`monitor: ${what}\n`);

process.on('unhandledRejection', (reason) => print(`uncaught ${reason?.stack ?? reason}`));
process.on('uncaughtExceptionMonitor', (error) => print(`uncaught ${error?.stack ?? error}`));
process.on('SIGUSR2', () => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  const names = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
  print(`report ${(reports += 1)} memory=${heapUsed + external} prototype=${names === clean ? 'clean' : names}`);
});
