import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import { expectConverged } from './support/expect-converged.js';
import { SyncingClient } from './support/syncing-client.js';
import { TestApp, type TestUser } from './support/test-app.js';

/** Events may arrive before the answer to a sync that doesn't know of them yet. */
describe('a sync that events overtake', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let cyd: TestUser;
  let dan: TestUser;
  let group: Chat;
  let said: Message;
  let client: SyncingClient;
  let isDeaf: boolean;

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    [ada, bob, cyd, dan] = (await app.users(4)) as [TestUser, TestUser, TestUser, TestUser];
    group = await ada.group(bob, cyd);
    said = await ada.say(group);
    isDeaf = false;
    client = await SyncingClient.of(bob, () => !isDeaf);
    await client.sync();
  });
  afterEach(() => client.device.close());

  const member = ({ id }: TestUser): string => `/groups/${group.id}/members/${id}`;

  const WAYS: [way: string, sync: (overtakenBy: () => Promise<unknown>) => Promise<void>][] = [
    ['a first sync', (overtakenBy) => (client.forget(), client.sync({ overtakenBy }))],
    ['a sync with a reset', (overtakenBy) => client.sync({ overtakenBy, reset: true })],
    [
      'a sync after lost events',
      async (overtakenBy) => {
        isDeaf = true;
        await ada.patch(`/groups/${group.id}`, { name: 'Lost' });
        await ada.say(group);
        await client.settle();
        isDeaf = false;
        await client.sync({ overtakenBy });
      },
    ],
  ];
  const EVENTS: [event: string, cause: () => Promise<unknown>][] = [
    ['a new message', () => ada.say(group)],
    ['an edit', () => ada.patch(`/messages/${said.id}`, { text: 'edited' })],
    ['a deletion', () => ada.delete(`/messages/${said.id}`)],
    ['a new name', () => ada.patch(`/groups/${group.id}`, { name: 'Another name' })],
    ['two changes', () => EVENTS[3]![1]().then(EVENTS[1]![1])],
    ['a new member', () => ada.put(member(dan))],
    ['a member who leaves', () => cyd.delete(member(cyd))],
    ['a new role', () => ada.patch(member(bob), { role: 'admin' })],
    ['a read on another device', () => bob.post(`/messages/${said.id}/read`)],
    ['a new chat', () => ada.group(bob)],
    ['a removal', () => ada.delete(member(bob))],
    ['a removal and a return', () => ada.delete(member(bob)).then(() => ada.put(member(bob)))],
  ];

  describe.each(WAYS)('%s', (_, sync) => {
    it.each(EVENTS)("ends with the server's state when it is overtaken by %s", async (_, cause) => {
      await sync(cause);
      await client.settle();
      await expectConverged(client, false);
    });
  });
});
