import { TestApp, type TestUser } from '../../../test/support/test-app.js';
import type { ChatState } from '../src/chat-state.js';
import type { Client } from '../src/client.js';
import { Clients, hearAll, until } from './clients.js';

describe('the list of chats', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let client: Client;
  const clients = new Clients(() => app);

  beforeAll(async () => (app = await TestApp.start()));
  afterAll(async () => {
    await clients.close();
    await app.close();
  });
  beforeEach(async () => {
    [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
    client = await clients.of(ada);
  });

  const idsOf = (list: readonly ChatState[]): number[] => list.map(({ id }) => id);

  /** The ids of the chats in the order of their latest messages, from the states of the chats alone. */
  const ordered = (ids: readonly number[]): number[] => {
    const at = (id: number): string => {
      const { last_message, created_at } = client.chat(id).state.get()!;
      return last_message?.timestamp ?? created_at;
    };
    return [...ids].sort((one, other) => (at(one) > at(other) ? -1 : at(one) < at(other) ? 1 : other - one));
  };

  it('follows each chat while somebody looks, and is right when nobody does', async () => {
    const { list } = client.chats;
    const seen: number[][] = [];
    const look = () => list.subscribe((chats) => seen.push(idsOf(chats)));
    let end = look();
    const ids: number[] = [];
    for (let turn = 0; turn < 40; turn += 1) {
      // Every fifth time nobody looks, or somebody does again.
      if (turn % 10 === 5) end();
      if (turn % 10 === 0 && turn > 0) end = look();
      if (turn % 4 === 0) ids.push((await bob.group(ada)).id);
      else if (turn % 7 === 6) await ada.delete(`/groups/${ids.shift()}/members/${ada.id}`);
      else await bob.say({ id: ids[(turn * 7) % ids.length]! });
      await hearAll(client);
      expect(idsOf(list.get())).toEqual(ordered(ids));
      if (turn % 10 < 5) expect(seen.at(-1)).toEqual(idsOf(list.get()));
    }
    end();
  });

  it('shows the same object of a chat that has not changed, and is itself the same until one has', async () => {
    const [one, other] = [await bob.group(ada), await bob.group(ada)];
    const end = client.chats.list.subscribe(() => undefined);
    const before = await until(client.chats.list, (chats) => chats.length === 2);
    expect(client.chats.list.get()).toBe(before);
    await bob.say(one);
    const after = await until(client.chats.list, ([first]) => first!.last_message !== null);
    expect(idsOf(after)).toEqual([one.id, other.id]);
    expect(after[1]).toBe(before.find(({ id }) => id === other.id));
    end();
  });

  it('is empty when nobody is signed in, also for who has looked before', async () => {
    await bob.group(ada);
    let last: readonly ChatState[] | undefined;
    const end = client.chats.list.subscribe((chats) => (last = chats));
    await until(client.chats.list, (chats) => chats.length === 1);
    await client.session.logout();
    expect([last, client.chats.list.get()]).toEqual([[], []]);
    end();
  });
});
