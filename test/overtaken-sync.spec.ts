import { expectConverged } from './support/expect-converged.js';
import { type Cast, OVERTAKING_EVENTS } from './support/overtaking-events.js';
import { SyncingClient } from './support/syncing-client.js';
import { TestApp, type TestUser } from './support/test-app.js';

/** Events may arrive before the answer to a sync that doesn't know of them yet. */
describe('a sync that events overtake', () => {
  let app: TestApp;
  let cast: Cast;
  let client: SyncingClient;
  let isDeaf: boolean;

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    const [ada, bob, cyd, dan] = (await app.users(4)) as [TestUser, TestUser, TestUser, TestUser];
    const group = await ada.group(bob, cyd);
    cast = { ada, bob, cyd, dan, group, said: await ada.say(group) };
    isDeaf = false;
    client = await SyncingClient.of(bob, () => !isDeaf);
    await client.sync();
  });
  afterEach(() => client.device.close());

  const WAYS: [way: string, sync: (overtakenBy: () => Promise<unknown>) => Promise<void>][] = [
    ['a first sync', (overtakenBy) => (client.forget(), client.sync({ overtakenBy }))],
    ['a sync with a reset', (overtakenBy) => client.sync({ overtakenBy, reset: true })],
    [
      'a sync after lost events',
      async (overtakenBy) => {
        const { ada, group } = cast;
        isDeaf = true;
        await ada.patch(`/groups/${group.id}`, { name: 'Lost' });
        await ada.say(group);
        await client.settle();
        isDeaf = false;
        await client.sync({ overtakenBy });
      },
    ],
  ];

  describe.each(WAYS)('%s', (_, sync) => {
    it.each(OVERTAKING_EVENTS)("ends with the server's state when it is overtaken by %s", async (_, cause) => {
      await sync(() => cause(cast));
      await client.settle();
      await expectConverged(client, false);
    });
  });
});
