import fc from 'fast-check';
import type { Chat } from '../src/contract/chats.js';
import { type Deed, deed, PEOPLE, World } from './support/deeds.js';
import { expectConverged } from './support/expect-converged.js';
import { runsOf } from './support/runs-of.js';
import { SyncingClient } from './support/syncing-client.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('sync convergence', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.close());

  /** Whose people have clients, which also sync. */
  class SyncingWorld extends World {
    constructor(readonly clients: readonly SyncingClient[]) {
      super(clients.map(({ user }) => user));
    }

    /** Runs the actions of a round concurrently. Its syncs are read before its writes, or meanwhile; they arrive last. */
    async run(round: readonly Deed[]): Promise<void> {
      const syncs = round.filter(({ kind }) => kind === 'sync');
      const writes = round.filter(({ kind }) => kind !== 'sync');
      let written: Promise<unknown> | undefined;
      const write = () => (written ??= Promise.all(writes.map((deed) => this.do(deed))));
      if (syncs.some(({ pick }) => pick % 2 === 0)) void write();
      await Promise.all(syncs.map((deed) => this.sync(deed, write)));
      await write();
    }

    private async sync({ who, pick }: Deed, overtakenBy: () => Promise<unknown>): Promise<void> {
      const client = this.clients[who]!;
      const way = ['new', 'reset', 'later'][pick % 3];
      if (way === 'new') client.forget();
      const [limit, part] = [1 + (pick % 10), 1 + (pick % 4)];
      await client.sync({ limit, part, reset: way === 'reset', overtakenBy });
    }
  }

  it('is not needed by a client that has got every event: its cursor is at the end of the chat', async () => {
    const [ada, bob, eve] = (await app.users(3)) as [TestUser, TestUser, TestUser];
    const { device, replica } = await SyncingClient.of(bob);
    const group = await ada.group(bob);
    const { id } = await ada.say(group);
    await ada.patch(`/groups/${group.id}`, { name: 'Another name' });
    await ada.put(`/groups/${group.id}/members/${eve.id}`);
    await ada.patch(`/groups/${group.id}/members/${bob.id}`, { role: 'owner' });
    await bob.delete(`/groups/${group.id}/members/${eve.id}`);
    for (const text of ['first edit', 'second edit']) {
      await ada.patch(`/messages/${id}`, { text });
      await device.next('message:updated', (message) => message.text === text);
    }
    const { last_change_seq, name, member_count, my_role } = (await bob.get<Chat>(`/chats/${group.id}`)).body;
    expect(last_change_seq).toBe(7);
    expect(replica.cursors()[group.id]).toMatchObject({ seq: 1, change_seq: last_change_seq });
    expect(replica.chats.get(group.id)!.chat).toMatchObject({ name, member_count, my_role });
  });

  it('is not needed for who has read own messages, also when a member leaves', async () => {
    const [ada, bob, cyd] = (await app.users(3)) as [TestUser, TestUser, TestUser];
    const group = await ada.group(bob, cyd);
    const client = await SyncingClient.of(ada);
    await client.sync();
    const expectPositions = async (expected: Pick<Chat, 'last_read_seq' | 'read_by_all_seq'>, { id } = group) => {
      await client.settle();
      const { last_read_seq, read_by_all_seq } = (await ada.get<Chat>(`/chats/${id}`)).body;
      expect({ last_read_seq, read_by_all_seq }).toEqual(expected);
      expect(client.replica.chats.get(id)!.chat).toMatchObject(expected);
    };
    const [, second, third] = [await ada.say(group), await ada.say(group), await ada.say(group)];
    await expectPositions({ last_read_seq: 3, read_by_all_seq: 0 });
    // No receipt says that the second message is now read by all.
    await cyd.post(`/messages/${second.id}/read`);
    await bob.post(`/messages/${third.id}/read`);
    await expectPositions({ last_read_seq: 3, read_by_all_seq: 2 });
    await ada.delete(`/groups/${group.id}/members/${cyd.id}`);
    await expectPositions({ last_read_seq: 3, read_by_all_seq: 3 });
    await ada.post(`/messages/${(await bob.say(group)).id}/read`);
    await expectPositions({ last_read_seq: 4, read_by_all_seq: 4 });
    const notes = await ada.privateChat(ada);
    await ada.say(notes);
    await expectPositions({ last_read_seq: 1, read_by_all_seq: 1 }, notes);
  });

  it("gives a client the server's state, whatever happened and whichever events it missed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(deed, { minLength: 1, maxLength: 4 }), { minLength: 5, maxLength: 30 }),
        fc.infiniteStream(fc.boolean()),
        async (rounds, hearing) => {
          const users = await app.users(PEOPLE);
          // The first one hears everything, and syncs only when it sees a gap, or when the run says so.
          const hears = (index: number) => () => index === 0 || hearing.next().value;
          const clients = await Promise.all(users.map((user, index) => SyncingClient.of(user, hears(index))));
          const world = new SyncingWorld(clients);
          world.groups.push(await users[0]!.group(users[1]!), await users[1]!.group(...users));
          await users[0]!.privateChat(users[2]!);
          for (const client of clients) await client.sync();
          for (const round of rounds) await world.run(round);
          await world.tellNames(app);
          for (const [index, client] of clients.entries()) {
            if (index === 0) await client.settle();
            else await client.sync();
            await expectConverged(client, index !== 0);
            client.device.close();
          }
        },
      ),
      { numRuns: runsOf(12, 100) },
    );
  }, 600_000);
});
