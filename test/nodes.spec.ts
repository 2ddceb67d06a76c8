import { Redis } from 'ioredis';
import type { Chat } from '../src/realtime/contract.js';
import { LogTail } from '../src/realtime/log-tail.service.js';
import { heardOf } from './support/caught-up.js';
import { createDatabase } from './support/database.js';
import type { Device } from './support/device.js';
import { describeWithRedis, RedisServer } from './support/redis.js';
import { TestApp, TestUser, unique } from './support/test-app.js';

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const seqsHeard = (device: Device, chat: { id: number }): number[] =>
  device
    .all('message:created')
    .filter(({ chat_id }) => chat_id === chat.id)
    .map(({ seq }) => seq);

/** Two nodes on one database, and people who are the same on both. */
class Cluster {
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
function behavesAsOne(cluster: () => Cluster): void {
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
    for (const { nest } of cluster().nodes) await nest.get(LogTail).look();
    for (const device of devices) expect(seqsHeard(device, group)).toHaveLength(200);
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

describe('two nodes on one database, without Redis', () => {
  let cluster: Cluster;
  beforeAll(async () => (cluster = await Cluster.start(undefined)));
  afterAll(() => cluster.close());

  behavesAsOne(() => cluster);

  /** Does what a node does that dies before it has told anybody. */
  const commitUnheard = ({ id }: Chat, sender: TestUser, text: string): Promise<unknown> =>
    cluster.nodes[0].sql(
      'SELECT append_messages(ARRAY[$1::bigint], ARRAY[$2::bigint], ARRAY[$3], ARRAY[$3], ARRAY[NULL::bigint])',
      [id, sender.id, text],
    );

  it('tell what a node that died after its commit told nobody', async () => {
    const [node] = cluster.nodes;
    const [ada, bob] = (await node.users(2)) as [TestUser, TestUser];
    const group = await ada.group(bob);
    const devices = await Promise.all([ada.device(), cluster.across(bob).device()]);
    await ada.say(group);
    await commitUnheard(group, bob, 'unheard');
    await commitUnheard(group, bob, 'of');
    // The next one written here waits for them.
    await ada.say(group);
    for (const device of devices) {
      await device.until(() => seqsHeard(device, group).includes(4));
      expect(seqsHeard(device, group)).toEqual([1, 2, 3, 4]);
    }
    await commitUnheard(group, bob, 'and without a next one');
    for (const device of devices) await device.next('message:created', ({ seq }) => seq === 5);
    await devices[0].next('read_receipt', ({ reader_id, seq }) => reader_id === bob.id && seq === 4);
  });

  it('tell nothing twice when the database goes in the middle of it', async () => {
    const [node] = cluster.nodes;
    const [ada, eve] = (await node.users(2)) as [TestUser, TestUser];
    const group = await ada.group();
    const [adas, eves] = await Promise.all([ada.device(), eve.device()]);
    await commitUnheard(group, ada, 'once');
    // What newcomers see of a chat can't be read; the message before it can.
    await node.sql('ALTER TABLE private_chats RENAME TO away');
    await ada.put(`/groups/${group.id}/members/${eve.id}`);
    await adas.next('message:created');
    expect(eves.all('chat:created')).toEqual([]);
    await node.sql('ALTER TABLE away RENAME TO private_chats');
    await eves.next('chat:created');
    await adas.next('member:added');
    expect(heardOf(adas, group).map(({ event }) => event)).toEqual(['message:created', 'member:added', 'chat:updated']);
  });

  it('tell what was committed since they started, and nothing older', async () => {
    const [node] = cluster.nodes;
    const ada = await node.user();
    const group = await ada.group();
    await ada.say(group);
    const late = await TestApp.start({ databaseUrl: node.databaseUrl });
    const device = await late.connect(ada.token);
    // Of this chat the new node has told nothing yet, so it can't know by itself that something is missing.
    await commitUnheard(group, ada, 'unheard');
    await device.command('message:send', { chat_id: group.id, text: 'heard', client_message_id: 'heard' });
    await device.until(() => seqsHeard(device, group).includes(3));
    await late.nest.get(LogTail).look();
    expect(seqsHeard(device, group)).toEqual([2, 3]);
    await late.close();
  });
});

describeWithRedis('two nodes on one database and one Redis', () => {
  let redis: RedisServer;
  let cluster: Cluster;
  let ada: TestUser;
  let bob: TestUser;

  beforeAll(async () => {
    redis = await RedisServer.start();
    cluster = await Cluster.start(redis.url);
    [ada, bob] = (await cluster.nodes[0].users(2)) as [TestUser, TestUser];
  });
  afterAll(async () => {
    await cluster.close();
    await redis.stop();
  });

  behavesAsOne(() => cluster);

  /** Types until the other node hears it, which it only can through Redis. */
  const typeAcross = async (chat: Chat): Promise<void> => {
    const [device, across] = await Promise.all([ada.device(), cluster.across(bob).device()]);
    const heard = across.next('typing', ({ chat_id }) => chat_id === chat.id).then(() => true);
    let done = false;
    while (!done) {
      expect(await device.command('typing', { chat_id: chat.id, is_typing: true })).toMatchObject({ ok: true });
      done = await Promise.race([heard, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20))]);
    }
  };

  it('hear of each other through Redis alone', async () => {
    const looks = cluster.nodes.map(({ nest }) => nest.get(LogTail));
    await Promise.all(looks.map((look) => look.beforeApplicationShutdown()));
    const group = await ada.group(bob);
    const across = await cluster.across(bob).device();
    const { id } = await ada.say(group);
    await across.next('message:created', (message) => message.id === id);
    await ada.patch(`/messages/${id}`, { text: 'better' });
    await across.next('message:updated', (message) => message.id === id);
    await bob.post(`/messages/${id}/read`);
    await across.next('read_receipt', ({ message_id }) => message_id === id);
    for (const look of looks) look.onApplicationBootstrap();
  });

  it('pass on who is typing', async () => {
    await typeAcross(await ada.group(bob));
  });

  it('cut the sockets of a session that ends at the other one', async () => {
    const session = await cluster.nodes[0].login(ada);
    const device = await cluster.across(session).device();
    const cut = device.disconnected();
    await session.post('/auth/logout');
    await device.next('session:revoked');
    expect(await cut).toBe('io server disconnect');
  });

  it("don't send each other the members of a group of many", async () => {
    const group = await ada.group(bob);
    await cluster.nodes[0].sql('UPDATE groups SET member_count = 301 WHERE chat_id = $1', [group.id]);
    const listener = new Redis(redis.url);
    const packets: string[] = [];
    listener.on('pmessage', (_pattern, _channel, packet: string) => packets.push(packet));
    await listener.psubscribe('*');
    const across = await cluster.across(bob).device();
    await ada.say(group);
    await across.next('message:created');
    listener.disconnect();
    const moved = packets.flatMap((packet) => (JSON.parse(packet) as { moved: { chat_id: number }[] }).moved);
    expect(moved.filter(({ chat_id }) => chat_id === group.id)).toEqual([
      { chat_id: group.id, position: { seq: 1, changeSeq: 0 } },
    ]);
  });

  const exchange = async (): Promise<void> => {
    const group = await ada.group(bob);
    const [here, across] = await Promise.all([bob.device(), cluster.across(bob).device()]);
    const command = { chat_id: group.id, text: 'said', client_message_id: `key-${unique()}` };
    expect(await here.command('message:send', command)).toMatchObject({ ok: true });
    // On this node at once: before the sender has the answer.
    expect(seqsHeard(here, group)).toEqual([1]);
    await across.next('message:created', ({ chat_id }) => chat_id === group.id);
  };

  it('tell their own devices at once while Redis is silent, and the others all the same', async () => {
    redis.pause();
    await exchange();
    redis.resume();
    await typeAcross(await ada.group(bob));
  });

  it('tell their own devices at once while Redis is away, and the others all the same', async () => {
    await redis.kill();
    await exchange();
    await redis.restart();
    await typeAcross(await ada.group(bob));
  });
});
