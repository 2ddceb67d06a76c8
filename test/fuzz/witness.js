/**
 * Stands beside the application in its process (`node --import`) and says on stderr what nobody outside can see: a
 * rejection or an exception that nobody has caught, and, asked by SIGUSR2, what hangs on `Object.prototype` and how much
 * memory is in use.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');
const clean = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
let reports = 0;

const say = (what) => process.stderr.write(`witness: ${what}\n`);

process.on('unhandledRejection', (reason) => say(`uncaught ${reason?.stack ?? reason}`));
process.on('uncaughtExceptionMonitor', (error) => say(`uncaught ${error?.stack ?? error}`));
process.on('SIGUSR2', () => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  const names = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
  say(`report ${(reports += 1)} memory=${heapUsed + external} prototype=${names === clean ? 'clean' : names}`);
});
