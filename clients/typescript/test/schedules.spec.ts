import fc from 'fast-check';
import { TestApp } from '../../../test/support/test-app.js';
import { Clients } from './clients.js';
import { installIndexedDb } from './indexed-db.js';
import { Schedule, step } from './schedule.js';

/** Other ones by `npm run test:schedules`. */
const RUNS = Number(process.env.SCHEDULE_RUNS ?? 6);
const SEED = Number(process.env.SCHEDULE_SEED ?? 1);

/** A run takes a third of a second on a quiet machine. One that never ends is a fault, too. */
const TIMEOUT_MS = 60_000 + RUNS * 5_000;

describe('random schedules of faults', () => {
  let app: TestApp;
  let uninstall: () => void;
  const clients = new Clients(() => app);

  beforeAll(async () => {
    uninstall = installIndexedDb();
    app = await TestApp.start();
  });
  afterAll(async () => {
    await clients.close();
    await app.close();
    uninstall();
  });

  it(
    "end with the server's state in each tab, and with each accepted message once",
    async () => {
      const schedules = fc.array(step, { minLength: 5, maxLength: 30 });
      const run = async (steps: (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): Promise<void> => {
        const schedule = await Schedule.of(app, clients);
        for (const one of steps) await schedule.do(one);
        await schedule.end();
      };
      await fc.assert(fc.asyncProperty(schedules, run), { numRuns: RUNS, seed: SEED, endOnFailure: true });
    },
    TIMEOUT_MS,
  );
});
