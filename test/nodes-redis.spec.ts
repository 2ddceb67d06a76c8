import { once } from 'node:events';
import { Redis } from 'ioredis';
import type { Chat } from '../src/contract/chats.js';
import { LogTailPoller } from '../src/realtime/delivery/log-tail.poller.js';
import { describeWithRedis, RedisServer } from './support/redis.js';
import { TestApp, type TestUser, unique } from './support/test-app.js';
import { deliversAcrossNodes, TwoNodes, seqsReceived } from './support/two-nodes.js';

describeWithRedis('two nodes on one database and one Redis', () => {
  let redis: RedisServer;
  let cluster: TwoNodes;
  let ada: TestUser;
  let bob: TestUser;

  beforeAll(async () => {
    redis = await RedisServer.start();
    cluster = await TwoNodes.start(redis.url);
    [ada, bob] = (await cluster.nodes[0].users(2)) as [TestUser, TestUser];
  });
  afterAll(async () => {
    await cluster.close();
    await redis.stop();
  });

  deliversAcrossNodes(() => cluster);

  /** Sends `typing` until a device of the other node receives it, which is possible only through Redis. */
  const typeAcross = async (chat: Chat): Promise<void> => {
    const [device, across] = await Promise.all([ada.device(), cluster.onOtherNode(bob).device()]);
    const heard = across.next('typing', ({ chat_id }) => chat_id === chat.id).then(() => true);
    let done = false;
    while (!done) {
      expect(await device.command('typing', { chat_id: chat.id, is_typing: true })).toMatchObject({ ok: true });
      done = await Promise.race([heard, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20))]);
    }
  };

  it('notify each other through Redis alone', async () => {
    const looks = cluster.nodes.map(({ nest }) => nest.get(LogTailPoller));
    await Promise.all(looks.map((look) => look.beforeApplicationShutdown()));
    const group = await ada.group(bob);
    const across = await cluster.onOtherNode(bob).device();
    const { id } = await ada.say(group);
    await across.next('message:created', (message) => message.id === id);
    await ada.patch(`/messages/${id}`, { text: 'better' });
    await across.next('message:updated', (message) => message.id === id);
    await bob.post(`/messages/${id}/read`);
    await across.next('read_receipt', ({ message_id }) => message_id === id);
    for (const look of looks) look.onApplicationBootstrap();
  });

  it('forward typing events', async () => {
    await typeAcross(await ada.group(bob));
  });

  it('disconnect the sockets of a session that ends on the other node', async () => {
    const session = await cluster.nodes[0].login(ada);
    const device = await cluster.onOtherNode(session).device();
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
    const across = await cluster.onOtherNode(bob).device();
    // From the second message on, the node has the members in its cache.
    for (let turn = 0; turn < 2; turn += 1) {
      const { id } = await ada.say(group);
      await across.next('message:created', (message) => message.id === id);
    }
    listener.disconnect();
    const advanced = packets.flatMap((packet) => (JSON.parse(packet) as { advanced: { chat_id: number }[] }).advanced);
    expect(advanced.filter(({ chat_id }) => chat_id === group.id)).toEqual([
      { chat_id: group.id, position: { seq: 1, changeSeq: 0 } },
      { chat_id: group.id, position: { seq: 2, changeSeq: 0 } },
    ]);
  });

  it('share the bounds of an address, and let in another one', async () => {
    const address = {
      connections: 4,
      pending: 4,
      handshakes: 1_000,
      packets: 1_000,
      windowMs: 120_000,
      refusalDelayMs: 10,
    };
    const config = { rateLimit: true, redisUrl: redis.url, trustedProxies: ['127.0.0.1'] };
    const database = cluster.nodes[0].databaseUrl;
    const nodes = await Promise.all(
      [1, 2].map(() => TestApp.start({ ...config, databaseUrl: database }, { joinTimeoutMs: 60_000, address })),
    );
    const handshake = (node: TestApp, from: string) =>
      node.request('GET', '/socket.io/?EIO=4&transport=polling', { headers: { 'X-Forwarded-For': from } });
    const listener = new Redis(redis.url);
    await listener.psubscribe('*');
    for (let i = 0; i < 4; i += 1) expect((await handshake(nodes[0]!, '192.0.2.1')).status).toBe(200);
    for (let isAnnounced = false; !isAnnounced;) {
      const [, , packet] = (await once(listener, 'pmessage')) as [string, string, string];
      isAnnounced = packet.includes('"192.0.2.1"') && packet.includes('"connections":4');
    }
    listener.disconnect();
    // The node has no connection of this address, and may be about to hear of the four.
    const statuses = [];
    while (statuses.at(-1) !== 429) statuses.push((await handshake(nodes[1]!, '192.0.2.1')).status);
    expect(statuses.length).toBeLessThan(4);
    expect((await handshake(nodes[1]!, '192.0.2.2')).status).toBe(200);
    await Promise.all(nodes.map((node) => node.close()));
  });

  const exchange = async (): Promise<void> => {
    const group = await ada.group(bob);
    const [here, across] = await Promise.all([bob.device(), cluster.onOtherNode(bob).device()]);
    const command = { chat_id: group.id, text: 'said', client_message_id: `key-${unique()}` };
    expect(await here.command('message:send', command)).toMatchObject({ ok: true });
    // On this node the event arrives before the answer to the sender.
    expect(seqsReceived(here, group)).toEqual([1]);
    await across.next('message:created', ({ chat_id }) => chat_id === group.id);
  };

  it('publish to their own devices at once while Redis is unresponsive, and the other node still delivers', async () => {
    redis.pause();
    await exchange();
    redis.resume();
    await typeAcross(await ada.group(bob));
  });

  it('publish to their own devices at once while Redis is unavailable, and the other node still delivers', async () => {
    await redis.kill();
    await exchange();
    await redis.restart();
    await typeAcross(await ada.group(bob));
  });
});
