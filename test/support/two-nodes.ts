import type { Chat } from '../../src/contract/chats.js';
import { LogTailPoller } from '../../src/realtime/delivery/log-tail.poller.js';
import { receivedIn } from './received-events.js';
import { createDatabase } from './database.js';
import type { Device } from './device.js';
import { TestApp, TestUser } from './test-app.js';

// Two nodes on one database, and the tests of delivery that hold with Redis and without it.

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
export const seqsReceived = (device: Device, chat: { id: number }): number[] =>
  device
    .all('message:created')
    .filter(({ chat_id }) => chat_id === chat.id)
    .map(({ seq }) => seq);

/** Two nodes on one database. */
export class TwoNodes {
  private constructor(
    readonly nodes: readonly [TestApp, TestApp],
    private readonly drop: () => Promise<void>,
  ) {}

  static async start(redisUrl: string | undefined): Promise<TwoNodes> {
    const { url: databaseUrl, drop } = await createDatabase();
    const start = (): Promise<TestApp> => TestApp.start({ databaseUrl, redisUrl });
    return new TwoNodes([await start(), await start()], drop);
  }

  /** The same user on the other node. */
  onOtherNode(user: TestUser): TestUser {
    const other = this.nodes.find((node) => node !== user.app)!;
    return new TestUser(other, user.id, user.name, user.email, user.token, user.refreshToken);
  }

  async close(): Promise<void> {
    for (const node of this.nodes) await node.close();
    await this.drop();
  }
}

/** The tests of delivery across two nodes, however the nodes notify each other. */
export function deliversAcrossNodes(cluster: () => TwoNodes): void {
  let ada: TestUser;
  let bob: TestUser;
  let eve: TestUser;

  beforeAll(async () => ([ada, bob, eve] = (await cluster().nodes[0].users(3)) as [TestUser, TestUser, TestUser]));

  it('publish every change made on the other node', async () => {
    const [here, there, bobs] = await Promise.all([
      ada.device(),
      cluster().onOtherNode(ada).device(),
      cluster().onOtherNode(bob).device(),
    ]);
    const onBoth = (event: Parameters<Device['next']>[0], fits?: (payload: any) => boolean) =>
      Promise.all([here, there].map((device) => device.next(event, fits)));
    const group = await ada.group(bob);
    await onBoth('chat:created');
    const first = await ada.say(group, 'first');
    await onBoth('message:created');
    // Sending an answer reads: the author on the other node gets a receipt.
    await cluster().onOtherNode(bob).say(group, 'an answer');
    await onBoth('read_receipt', ({ reader_id, seq }) => reader_id === bob.id && seq === 1);
    await onBoth('message:created', ({ seq }) => seq === 2);
    await ada.patch(`/messages/${first.id}`, { text: 'better' });
    await onBoth('message:updated');
    await cluster().onOtherNode(ada).delete(`/messages/${first.id}`);
    await onBoth('message:deleted');
    await ada.patch(`/groups/${group.id}`, { name: 'Another name' });
    await onBoth('chat:updated', ({ name }) => name === 'Another name');
    await cluster().onOtherNode(ada).put(`/groups/${group.id}/members/${eve.id}`);
    await onBoth('member:added');
    await ada.patch(`/groups/${group.id}/members/${eve.id}`, { role: 'admin' });
    await onBoth('member:updated', ({ member }) => member.role === 'admin');
    // A person's name, which their chats are told after the answer.
    await cluster().onOtherNode(eve).patch('/users/me', { name: 'Eve the Second' });
    await onBoth('member:updated', ({ member }) => member.name === 'Eve the Second');
    const { id } = await cluster().onOtherNode(bob).say(group, 'to be read');
    await onBoth('message:created', ({ seq }) => seq === 3);
    await ada.post(`/messages/${id}/read`);
    await onBoth('read_receipt', ({ reader_id, seq }) => reader_id === ada.id && seq === 3);
    await bobs.next('read_receipt', ({ reader_id, seq }) => reader_id === ada.id && seq === 3);
    await ada.delete(`/groups/${group.id}/members/${eve.id}`);
    await onBoth('member:removed');
    await ada.delete(`/groups/${group.id}`);
    await onBoth('chat:removed');
    expect(receivedIn(there, group)).toEqual(receivedIn(here, group));
    expect(receivedIn(here, group).map(({ event }) => event)).toEqual([
      'chat:created',
      'message:created',
      'message:created',
      'read_receipt',
      'message:updated',
      'message:deleted',
      'chat:updated',
      'member:added',
      'member:updated',
      'member:updated',
      'message:created',
      'read_receipt',
      'member:removed',
      'chat:removed',
    ]);
  });

  it('deliver every message once and in order to all devices when both write one chat', async () => {
    const group = await ada.group(bob);
    const people = [ada, bob, cluster().onOtherNode(ada), cluster().onOtherNode(bob)];
    const devices = await Promise.all(people.map((user) => user.device()));
    await Promise.all(
      devices.flatMap((device, at) =>
        oneTo(50).map((turn) =>
          device.command('message:send', { chat_id: group.id, text: 'x', client_message_id: `${at}-${turn}` }),
        ),
      ),
    );
    for (const device of devices) {
      await device.until(() => seqsReceived(device, group).includes(200));
      expect(seqsReceived(device, group)).toEqual(oneTo(200));
    }
    // A poll of the log finds nothing that the nodes have not published.
    for (const { nest } of cluster().nodes) await nest.get(LogTailPoller).poll();
    for (const device of devices) expect(seqsReceived(device, group)).toHaveLength(200);
  });

  it('publish changes and reads in order with the messages that they follow', async () => {
    const device = await cluster().onOtherNode(ada).device();
    const group = await ada.group(bob);
    const first = await cluster().onOtherNode(ada).say(group);
    await ada.patch(`/groups/${group.id}`, { name: 'Another name' });
    await cluster().onOtherNode(ada).say(group);
    await ada.patch(`/messages/${first.id}`, { text: 'better' });
    await cluster().onOtherNode(ada).say(group);
    const read = await ada.say(group);
    await cluster().onOtherNode(bob).post(`/messages/${read.id}/read`);
    await device.next('read_receipt', ({ message_id }) => message_id === read.id);
    expect(receivedIn(device, group).map(({ event, payload }) => [event, payload.seq])).toEqual([
      ['chat:created', undefined],
      ['message:created', 1],
      ['chat:updated', undefined],
      ['message:created', 2],
      ['message:updated', 1],
      ['message:created', 3],
      ['message:created', 4],
      ['read_receipt', 4],
    ]);
    // The same in a chat that the node does not know yet.
    const other = await ada.group(bob);
    const unknown = await ada.say(other);
    await cluster().onOtherNode(bob).post(`/messages/${unknown.id}/read`);
    await device.next('read_receipt', ({ message_id }) => message_id === unknown.id);
    expect(receivedIn(device, other).map(({ event }) => event)).toEqual([
      'chat:created',
      'message:created',
      'read_receipt',
    ]);
  });

  it('deliver concurrent messages, edits, reads and renames of one chat once and in order', async () => {
    const group = await ada.group(bob);
    const people = [ada, bob, cluster().onOtherNode(ada), cluster().onOtherNode(bob)];
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
      await device.until(() => seqsReceived(device, group).includes(48) && device.all('message:updated').length >= 48);
    }
    // A poll of the log finds nothing that the nodes have not published.
    for (const { nest } of cluster().nodes) await nest.get(LogTailPoller).poll();
    for (const device of devices) {
      const heard = receivedIn(device, group);
      const changes = heard.filter(({ event }) => event === 'message:updated').map(({ payload }) => payload.change_seq);
      expect(changes).toEqual([...new Set(changes)].sort((one, other) => one - other));
      expect(changes).toHaveLength(48);
      expect(heard.filter(({ event }) => event === 'chat:updated')).toHaveLength(12);
      expect(seqsReceived(device, group)).toEqual(oneTo(48));
      const known = new Set<number>();
      for (const { event, payload } of heard) {
        if (event === 'message:created') known.add(payload.seq);
        if (event === 'message:updated' || event === 'read_receipt') expect(known).toContain(payload.seq);
      }
    }
  });

  it('publish nothing to a member after the removal, on whichever node it was made', async () => {
    const group = await ada.group(bob, eve);
    const [eves, bobs] = await Promise.all([cluster().onOtherNode(eve).device(), cluster().onOtherNode(bob).device()]);
    const said = oneTo(30).map((i) => (i % 2 ? ada : cluster().onOtherNode(ada)).say(group));
    const removal = ada.delete(`/groups/${group.id}/members/${eve.id}`);
    await Promise.all([...said, removal]);
    const last = await cluster().onOtherNode(ada).say(group);
    await bobs.next('message:created', ({ id }) => id === last.id);
    await eves.next('chat:removed');
    const all = receivedIn(eves, group);
    expect(all.at(-1)!.event).toBe('chat:removed');
    expect(seqsReceived(eves, group)).toEqual(oneTo(seqsReceived(eves, group).length));
    expect(seqsReceived(bobs, group)).toEqual(oneTo(31));
  });

  it('deliver in a large group, also to new members and not to removed ones', async () => {
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
      cluster().onOtherNode(bob).device(),
      cluster().onOtherNode(eve).device(),
    ]);
    await ada.say(group, 'to bob');
    await bobs.next('message:created', ({ seq }) => seq === 1);
    await ada.put(`/groups/${group.id}/members/${eve.id}`);
    await cluster().onOtherNode(bob).say(group, 'to eve, too');
    await eves.next('message:created', ({ seq }) => seq === 2);
    await ada.delete(`/groups/${group.id}/members/${bob.id}`);
    await cluster().onOtherNode(eve).say(group, 'no more to bob');
    for (const device of [adas, eves]) await device.next('message:created', ({ seq }) => seq === 3);
    await bobs.next('chat:removed', ({ chat_id }) => chat_id === group.id);
    expect(seqsReceived(adas, group)).toEqual([1, 2, 3]);
    expect(seqsReceived(bobs, group)).toEqual([1, 2]);
    expect(seqsReceived(eves, group)).toEqual([2, 3]);
  });
}
