import fc from 'fast-check';
import { NameSweeper } from '../src/chats/name.sweeper.js';
import type { Chat, ChatWithMembers, Member } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import type { News, SyncRequest } from '../src/contract/sync.js';
import type { Device } from './support/device.js';
import { Replica } from './support/replica.js';
import { runsOf } from './support/runs-of.js';
import { TestApp, type TestUser } from './support/test-app.js';

const PEOPLE = 3;
const person = fc.nat(PEOPLE - 1);
/** Selects an item by a number that is taken modulo the current length. */
const pick = fc.nat(1_000);

/** The actions of the users; `seed` chooses which events their devices miss. */
const deed = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('send' as const), who: person, pick }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('edit' as const), who: person, pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), who: person, pick }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), who: person, pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), who: person, pick }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), who: person, pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rename' as const), who: person, pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('name' as const), who: person, pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('role' as const), who: person, pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('group' as const), who: person, pick }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sync' as const), who: person, pick }) },
);
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

/** A user with a device that receives only some of its events. */
class Client {
  readonly replica: Replica;

  private constructor(
    readonly user: TestUser,
    readonly device: Device,
  ) {
    this.replica = new Replica(user.id);
  }

  static async of(user: TestUser, hears: () => boolean): Promise<Client> {
    const client = new Client(user, await user.device());
    client.device.socket.onAny((event: string, payload: unknown) => {
      if (hears()) client.replica.apply(event, payload);
    });
    return client;
  }

  async sync(limit?: number): Promise<void> {
    const call = async (request: SyncRequest): Promise<News> => {
      const ack = await this.device.command('sync', request);
      if (!ack.ok) throw new Error(JSON.stringify(ack.error));
      return ack.data;
    };
    await this.replica.catchUp(call, limit);
    for (const [id, { members }] of this.replica.chats) if (!members) await this.fetchMembers(id);
  }

  private async fetchMembers(id: number): Promise<void> {
    let answer;
    do answer = await this.user.get<ChatWithMembers>(`/chats/${id}`);
    while (answer.status === 200 && !this.replica.takeMembers(answer.body));
  }
}

describe('sync convergence', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.close());

  /** The chats of a run, and the actions in them. Here a refusal is as good as a success. */
  class World {
    readonly groups: Chat[] = [];
    readonly messages: Message[] = [];

    constructor(readonly clients: readonly Client[]) {}

    async do({ kind, who, pick }: Deed): Promise<void> {
      const { user } = this.clients[who]!;
      const group = this.groups[pick % this.groups.length]!;
      const message = this.messages[pick % (this.messages.length || 1)];
      const other = this.clients[pick % PEOPLE]!.user;
      if (kind === 'send') {
        const { status, body } = await user.post<Message>('/messages', { chat_id: group.id, text: `text ${pick}` });
        if (status === 201) this.messages.push(body);
      }
      if (kind === 'edit' && message) await user.patch(`/messages/${message.id}`, { text: `edited ${pick}` });
      if (kind === 'delete' && message) await user.delete(`/messages/${message.id}`);
      if (kind === 'read' && message) await user.post(`/messages/${message.id}/read`);
      if (kind === 'remove') await user.delete(`/groups/${group.id}/members/${other.id}`);
      if (kind === 'add') await user.put(`/groups/${group.id}/members/${other.id}`);
      if (kind === 'rename') await user.patch(`/groups/${group.id}`, { name: `name ${pick}` });
      if (kind === 'name') await user.patch('/users/me', { name: `person ${pick}` });
      if (kind === 'role') {
        const role = ['member', 'admin', 'owner'][pick % 3];
        await user.patch(`/groups/${group.id}/members/${other.id}`, { role });
      }
      if (kind === 'group') this.groups.push(await user.group(...this.clients.map((client) => client.user)));
      if (kind === 'sync') await this.clients[who]!.sync(1 + (pick % 10));
    }
  }

  /** Resolves when all chats have been told the name of the user. */
  async function told(userId: number): Promise<void> {
    const steps = app.nest.get(NameSweeper).tell(userId);
    while (!(await steps.next()).done);
  }

  /** The fields of a chat that do not follow from its messages. */
  const kept = ({ id, type, name, creator_id, member_count, my_role, last_read_seq, read_by_all_seq }: Chat) => {
    return { id, type, name, creator_id, member_count, my_role, last_read_seq, read_by_all_seq };
  };

  /** Members without what moves without a `change_seq`. */
  const listed = (members: Iterable<Member>) =>
    [...members]
      .map(({ user_id, name, role, joined_at }) => ({ user_id, name, role, joined_at }))
      .sort((one, other) => one.user_id - other.user_id);

  /** Checks that the replica equals the server's state, and holds the newest messages of each chat without a gap. */
  async function expectSame({ user, replica }: Client): Promise<void> {
    const chats = (await user.get<Chat[]>('/chats?limit=100')).body;
    expect([...replica.chats.keys()].sort((a, b) => a - b)).toEqual(chats.map(({ id }) => id).sort((a, b) => a - b));
    for (const chat of chats) {
      const { chat: held, from, seq, change_seq, messages, members } = replica.chats.get(chat.id)!;
      expect([seq, change_seq]).toEqual([chat.last_seq, chat.last_change_seq]);
      expect(kept(held)).toEqual(kept(chat));
      expect(listed(members!.values())).toEqual(listed((await user.get<Member[]>(`/chats/${chat.id}/members`)).body));
      const stored = (await user.get<Message[]>(`/history/${chat.id}?limit=100`)).body;
      // A client computes `is_read` from the read mark of the chat, so sync does not send it for each message.
      const own = [...messages.values()]
        .sort((a, b) => a.seq - b.seq)
        .map((message) => ({ ...message, is_read: message.seq <= held.read_by_all_seq }));
      expect(own).toEqual(stored.filter((message) => message.seq >= from));
    }
  }

  it('is not needed by a client that has got every event: its cursor is at the end of the chat', async () => {
    const [ada, bob, eve] = (await app.users(3)) as [TestUser, TestUser, TestUser];
    const { device, replica } = await Client.of(bob, () => true);
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

  it("gives a client the server's state, whatever happened and whichever events it missed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(deed, { minLength: 1, maxLength: 4 }), { minLength: 5, maxLength: 30 }),
        fc.infiniteStream(fc.boolean()),
        async (rounds, hearing) => {
          const users = await app.users(PEOPLE);
          const clients = await Promise.all(users.map((user) => Client.of(user, () => hearing.next().value)));
          const world = new World(clients);
          world.groups.push(await users[0]!.group(users[1]!), await users[1]!.group(...users));
          await users[0]!.privateChat(users[2]!);
          for (const client of clients) await client.sync();
          // The actions of a round run concurrently.
          for (const round of rounds) await Promise.all(round.map((one) => world.do(one)));
          for (const { id } of users) await told(id);
          for (const client of clients) {
            await client.sync();
            await expectSame(client);
            client.device.close();
          }
        },
      ),
      { numRuns: runsOf(12, 100) },
    );
  }, 600_000);
});
