import type { Chat } from '../../src/contract/chats.js';
import { LogTailPoller } from '../../src/realtime/delivery/log-tail.poller.js';
import { heardOf } from './caught-up.js';
import { createDatabase } from './database.js';
import type { Device } from './device.js';
import { TestApp, TestUser } from './test-app.js';

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
export const seqsHeard = (device: Device, chat: { id: number }): number[] =>
  device
    .all('message:created')
    .filter(({ chat_id }) => chat_id === chat.id)
    .map(({ seq }) => seq);

/** Two nodes on one database, and people who are the same on both. */
export class Cluster {
  private constructor(
    readonly nodes: readonly [TestApp, TestApp],
    private readonly drop: () => Promise<void>,
  ) {}

  static async start(redisUrl: string | undefined): Promise<Cluster> {
    const { url: databaseUrl, drop } = await createDatabase();
    const start = (): Promise<TestApp> => TestApp.start({ databaseUrl, redisUrl });
    return new Cluster([await start(), await start()], drop);
  }

  /** The same person at the other node. */
  across(user: TestUser): TestUser {
    const other = this.nodes.find((node) => node !== user.app)!;
    return new TestUser(other, user.id, user.name, user.email, user.token, user.refreshToken);
  }

  async close(): Promise<void> {
    for (const node of this.nodes) await node.close();
    await this.drop();
  }
}

/** What two nodes owe to everybody, by whatever way they hear of each other. */
export function behavesAsOne(cluster: () => Cluster): void {
  let ada: TestUser;
  let bob: TestUser;
  let eve: TestUser;

  beforeAll(async () => ([ada, bob, eve] = (await cluster().nodes[0].users(3)) as [TestUser, TestUser, TestUser]));

  it('tell of everything that the other one writes', async () => {
    const [here, there, bobs] = await Promise.all([
      ada.device(),
      cluster().across(ada).device(),
      cluster().across(bob).device(),
    ]);
    const onBoth = (event: Parameters<Device['next']>[0], fits?: (payload: any) => boolean) =>
      Promise.all([here, there].map((device) => device.next(event, fits)));
    const group = await ada.group(bob);
    await onBoth('chat:created');
    const first = await ada.say(group, 'first');
    await onBoth('message:created');
    // Who answers has read: said to the author at the other node.
    await cluster().across(bob).say(group, 'an answer');
    await onBoth('read_receipt', ({ reader_id, seq }) => reader_id === bob.id && seq === 1);
    await onBoth('message:created', ({ seq }) => seq === 2);
    await ada.patch(`/messages/${first.id}`, { text: 'better' });
    await onBoth('message:updated');
    await cluster().across(ada).delete(`/messages/${first.id}`);
    await onBoth('message:deleted');
    await ada.patch(`/groups/${group.id}`, { name: 'Another name' });
    await onBoth('chat:updated', ({ name }) => name === 'Another name');
    await cluster().across(ada).put(`/groups/${group.id}/members/${eve.id}`);
    await onBoth('member:added');
    await ada.patch(`/groups/${group.id}/members/${eve.id}`, { role: 'admin' });
    await onBoth('member:updated');
    const { id } = await cluster().across(bob).say(group, 'to be read');
    await onBoth('message:created', ({ seq }) => seq === 3);
    await ada.post(`/messages/${id}/read`);
    await onBoth('read_receipt', ({ reader_id, seq }) => reader_id === ada.id && seq === 3);
    await bobs.next('read_receipt', ({ reader_id, seq }) => reader_id === ada.id && seq === 3);
    await ada.delete(`/groups/${group.id}/members/${eve.id}`);
    await onBoth('member:removed');
    await ada.delete(`/groups/${group.id}`);
    await onBoth('chat:removed');
    expect(heardOf(there, group)).toEqual(heardOf(here, group));
    expect(heardOf(here, group).map(({ event }) => event)).toEqual([
      'chat:created',
      'message:created',
      'message:created',
      'read_receipt',
      'message:updated',
      'message:deleted',
      'chat:updated',
      'member:added',
      'chat:updated',
      'member:updated',
      'message:created',
      'read_receipt',
      'member:removed',
      'chat:updated',
      'chat:removed',
    ]);
  });

  it('write one chat at once, and every device on either hears it once and in order', async () => {
    const group = await ada.group(bob);
    const people = [ada, bob, cluster().across(ada), cluster().across(bob)];
    const devices = await Promise.all(people.map((user) => user.device()));
    await Promise.all(
      devices.flatMap((device, at) =>
        oneTo(50).map((turn) =>
          device.command('message:send', { chat_id: group.id, text: 'x', client_message_id: `${at}-${turn}` }),
        ),
      ),
    );
    for (const device of devices) {
      await device.until(() => seqsHeard(device, group).includes(200));
      expect(seqsHeard(device, group)).toEqual(oneTo(200));
    }
    // Whatever the nodes find in the log by themselves, they have told.
    for (const { nest } of cluster().nodes) await nest.get(LogTailPoller).poll();
    for (const device of devices) expect(seqsHeard(device, group)).toHaveLength(200);
  });

  it('tell a change and a read made at one of them before, or after, the message that they belong to', async () => {
    const device = await cluster().across(ada).device();
    const group = await ada.group(bob);
    const first = await cluster().across(ada).say(group);
    await ada.patch(`/groups/${group.id}`, { name: 'Another name' });
    await cluster().across(ada).say(group);
    await ada.patch(`/messages/${first.id}`, { text: 'better' });
    await cluster().across(ada).say(group);
    const read = await ada.say(group);
    await cluster().across(bob).post(`/messages/${read.id}/read`);
    await device.next('read_receipt', ({ message_id }) => message_id === read.id);
    expect(heardOf(device, group).map(({ event, payload }) => [event, payload.seq])).toEqual([
      ['chat:created', undefined],
      ['message:created', 1],
      ['chat:updated', undefined],
      ['message:created', 2],
      ['message:updated', 1],
      ['message:created', 3],
      ['message:created', 4],
      ['read_receipt', 4],
    ]);
    // The same in a chat that the node has not heard of yet.
    const other = await ada.group(bob);
    const unknown = await ada.say(other);
    await cluster().across(bob).post(`/messages/${unknown.id}/read`);
    await device.next('read_receipt', ({ message_id }) => message_id === unknown.id);
    expect(heardOf(device, other).map(({ event }) => event)).toEqual([
      'chat:created',
      'message:created',
      'read_receipt',
    ]);
  });

  it('edit, read, rename and write in one chat at once, and tell each of it once and in order', async () => {
    const group = await ada.group(bob);
    const people = [ada, bob, cluster().across(ada), cluster().across(bob)];
    const devices = await Promise.all(people.map((user) => user.device()));
    const turns = people.map(async (user, at) => {
      for (let turn = 1; turn <= 12; turn += 1) {
        const { id } = await user.say(group);
        const edit = user.patch(`/messages/${id}`, { text: `edit ${turn} of ${at}` });
        const read = people[(at + 1) % 4]!.post(`/messages/${id}/read`);
        const rename = at === 0 ? user.patch(`/groups/${group.id}`, { name: `Name ${turn}` }) : undefined;
        await Promise.all([edit, read, rename]);
      }
    });
    await Promise.all(turns);
    const { last_change_seq } = (await ada.get<Chat>(`/chats/${group.id}`)).body;
    expect(last_change_seq).toBe(60);
    for (const device of devices) {
      await device.until(() => seqsHeard(device, group).includes(48) && device.all('message:updated').length >= 48);
    }
    // Whatever the nodes find in the log by themselves, they have told.
    for (const { nest } of cluster().nodes) await nest.get(LogTailPoller).poll();
    for (const device of devices) {
      const heard = heardOf(device, group);
      const changes = heard.filter(({ event }) => event === 'message:updated').map(({ payload }) => payload.change_seq);
      expect(changes).toEqual([...new Set(changes)].sort((one, other) => one - other));
      expect(changes).toHaveLength(48);
      expect(heard.filter(({ event }) => event === 'chat:updated')).toHaveLength(12);
      expect(seqsHeard(device, group)).toEqual(oneTo(48));
      const known = new Set<number>();
      for (const { event, payload } of heard) {
        if (event === 'message:created') known.add(payload.seq);
        if (event === 'message:updated' || event === 'read_receipt') expect(known).toContain(payload.seq);
      }
    }
  });

  it('tell nothing to a member from the removal on, wherever it was made', async () => {
    const group = await ada.group(bob, eve);
    const [eves, bobs] = await Promise.all([cluster().across(eve).device(), cluster().across(bob).device()]);
    const said = oneTo(30).map((i) => (i % 2 ? ada : cluster().across(ada)).say(group));
    const removal = ada.delete(`/groups/${group.id}/members/${eve.id}`);
    await Promise.all([...said, removal]);
    const last = await cluster().across(ada).say(group);
    await bobs.next('message:created', ({ id }) => id === last.id);
    await eves.next('chat:removed');
    const all = heardOf(eves, group);
    expect(all.at(-1)!.event).toBe('chat:removed');
    expect(seqsHeard(eves, group)).toEqual(oneTo(seqsHeard(eves, group).length));
    expect(seqsHeard(bobs, group)).toEqual(oneTo(31));
  });

  it('serve a group of many, newcomers and leavers too', async () => {
    const group = await ada.group(bob);
    const [node] = cluster().nodes;
    await node.sql(
      `WITH made AS (INSERT INTO users (name, email, password_hash)
         SELECT 'Somebody', i || '.' || $1::bigint || '@example.org', '' FROM generate_series(1, 400) i RETURNING id),
       counted AS (UPDATE groups SET member_count = 402 WHERE chat_id = $1)
       INSERT INTO chat_members (chat_id, user_id) SELECT $1, id FROM made`,
      [group.id],
    );
    const [adas, bobs, eves] = await Promise.all([
      ada.device(),
      cluster().across(bob).device(),
      cluster().across(eve).device(),
    ]);
    await ada.say(group, 'to bob');
    await bobs.next('message:created', ({ seq }) => seq === 1);
    await ada.put(`/groups/${group.id}/members/${eve.id}`);
    await cluster().across(bob).say(group, 'to eve, too');
    await eves.next('message:created', ({ seq }) => seq === 2);
    await ada.delete(`/groups/${group.id}/members/${bob.id}`);
    await cluster().across(eve).say(group, 'no more to bob');
    for (const device of [adas, eves]) await device.next('message:created', ({ seq }) => seq === 3);
    await bobs.next('chat:removed', ({ chat_id }) => chat_id === group.id);
    expect(seqsHeard(adas, group)).toEqual([1, 2, 3]);
    expect(seqsHeard(bobs, group)).toEqual([1, 2]);
    expect(seqsHeard(eves, group)).toEqual([2, 3]);
  });
}
