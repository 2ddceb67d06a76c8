import { type Cast, OVERTAKING_EVENTS } from '../../../test/support/overtaking-events.js';
import { TestApp, type TestUser } from '../../../test/support/test-app.js';
import type { Client } from '../src/client.js';
import { Clients, hearAll, quick, scopeOf, synced, until } from './clients.js';
import { expectSame } from './expect-same.js';
import { Wire } from './wire.js';

/** Events may arrive before an answer that doesn't know of them yet. */
describe('what events overtake', () => {
  let app: TestApp;
  let cast: Cast;
  let client: Client;
  let wire: Wire;
  const clients = new Clients(() => app);

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    const [ada, bob, cyd, dan] = (await app.users(4)) as [TestUser, TestUser, TestUser, TestUser];
    const group = await ada.group(bob, cyd);
    cast = { ada, bob, cyd, dan, group, said: await ada.say(group) };
    client = await clients.of(bob, { clock: quick });
    wire = new Wire(client);
    await client.chat(group.id).loadMembers();
  });
  afterEach(() => client.close());

  /** Syncs; before the answer to the first call arrives, the events of `cause` do. */
  async function syncOvertakenBy(cause: () => Promise<unknown>): Promise<void> {
    wire.onHeard = (what, pass) => {
      if (what !== 'sync') return pass();
      wire.onHeard = (_, now) => now();
      void cause()
        .then(() => hearAll(client))
        .then(pass);
    };
    scopeOf(client).sync.request();
    await synced(client);
  }

  /** Hears all that is published, and syncs when something is missing. */
  async function settle(): Promise<void> {
    await hearAll(client);
    while (scopeOf(client).store.isBehind) {
      await until(client.status, ({ sync }) => sync === 'syncing');
      await synced(client);
    }
  }

  const WAYS: [way: string, sync: (cause: () => Promise<unknown>) => Promise<void>][] = [
    [
      'a first sync',
      (cause) => {
        const { store } = scopeOf(client);
        for (const id of [...store.chats.keys()]) store.drop(id);
        return syncOvertakenBy(cause);
      },
    ],
    [
      'a sync with a reset',
      (cause) => {
        wire.isResetting = true;
        return syncOvertakenBy(cause);
      },
    ],
    [
      'a sync after lost events',
      async (cause) => {
        const { ada, group } = cast;
        wire.onHeard = (what, pass) => {
          if (what === 'typing') pass();
        };
        await ada.patch(`/groups/${group.id}`, { name: 'Lost' });
        await ada.say(group);
        await hearAll(client);
        await syncOvertakenBy(cause);
      },
    ],
  ];

  describe.each(WAYS)('%s', (_, sync) => {
    it.each(OVERTAKING_EVENTS)("ends with the server's state when it is overtaken by %s", async (_, cause) => {
      await sync(() => cause(cast));
      await settle();
      await expectSame(client, cast.bob, { isUnsynced: true });
    });
  });

  /** Another device, which holds no message of the group. What `cause` leads to overtakes its page of the history. */
  async function pageOvertakenBy(cause: () => Promise<unknown>): Promise<Client> {
    let overtake = (): Promise<unknown> => Promise.resolve();
    const slow: typeof fetch = async (url, request) => {
      const answer = await fetch(url, request);
      if ((url as string).includes('/history/')) await overtake();
      return answer;
    };
    const other = await clients.of(cast.bob, { fetch: slow });
    scopeOf(other).store.chats.get(cast.group.id).empty();
    overtake = () => cause().then(() => hearAll(other));
    const shown = other.chat(cast.group.id).messages();
    await until(shown.state, ({ isLoading }) => isLoading);
    await until(shown.state, ({ isLoading }) => !isLoading);
    return other;
  }

  it.each([
    ['an edit', 'edited', OVERTAKING_EVENTS[1]![1]],
    ['a removal', undefined, OVERTAKING_EVENTS[10]![1]],
  ])('is right after a page of the history that %s overtakes', async (_, text, cause) => {
    const { group, said } = cast;
    const other = await pageOvertakenBy(() => cause(cast));
    expect(other.chat(group.id).message(said.client_message_id).get()?.text).toBe(text);
    await other.close();
  });
});
