import fc from 'fast-check';
import { TestApp } from '../../../test/support/test-app.js';
import { Clients } from './clients.js';
import { installIndexedDb } from './indexed-db.js';
import { Schedule, step } from './schedule.js';

/** By `npm run test:schedules -- --runs 200 --seed 1`. */
const { SCHEDULE_RUNS = '6', SCHEDULE_SEED } = process.env;

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
      const seed = SCHEDULE_SEED === undefined ? {} : { seed: Number(SCHEDULE_SEED) };
      await fc.assert(fc.asyncProperty(schedules, run), {
        numRuns: Number(SCHEDULE_RUNS),
        endOnFailure: true,
        ...seed,
      });
    },
    3_600_000 * 6,
  );
});
