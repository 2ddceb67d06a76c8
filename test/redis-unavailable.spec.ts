import type { Chat } from '../src/contract/chats.js';
import { createDatabase } from './support/database.js';
import { Device } from './support/device.js';
import { request } from './support/http.js';
import { describeWithRedis, RedisServer } from './support/redis.js';
import { inTemporaryFolder, ServerProcess } from './support/server-process.js';
import { PASSWORD } from './support/test-app.js';

/** Three seconds are promised for everything that needs Redis; the rest is for a busy machine. */
const ANSWER_MS = 5_500;

describeWithRedis('Redis unavailable', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let redis: RedisServer;
  let nodes: ServerProcess[];
  let urls: string[];
  let token: string;
  let chat: Chat;
  let here: Device;
  let there: Device;
  let keys = 0;

  const account = { name: 'Ada', email: 'ada@example.com', password: PASSWORD };
  const login = (url: string) =>
    request(url, 'POST', '/auth/login', { body: { username: account.email, password: PASSWORD } });

  /** Checks the service without Redis: no request waits for it. */
  async function goesOn(): Promise<void> {
    const start = performance.now();
    const keysSent = Array.from({ length: 15 }, () => `key-${(keys += 1)}`);
    const acks = await Promise.all(
      keysSent.map((key) => here.command('message:send', { chat_id: chat.id, text: 'kept', client_message_id: key })),
    );
    for (const ack of acks) expect(ack).toMatchObject({ ok: true });
    // On this node the event arrives before the ack.
    expect(
      here
        .all('message:created')
        .slice(-15)
        .map((message) => message.client_message_id),
    ).toEqual(keysSent);
    const [loggedIn, ready] = await Promise.all([login(urls[0]!), request(urls[0]!, 'GET', '/health/ready')]);
    expect([loggedIn.status, ready.status]).toEqual([200, 200]);
    expect(performance.now() - start).toBeLessThan(ANSWER_MS);
    // Found by the log poller, without Redis.
    await there.next('message:created', ({ client_message_id }) => client_message_id === keysSent.at(-1));
    const heard = there.all('message:created').map(({ seq }) => seq);
    expect(heard).toEqual(Array.from({ length: keys }, (_, index) => index + 1));
  }

  /** Redis is back: events that go only through Redis reach the other node. */
  async function heals(): Promise<void> {
    const start = performance.now();
    const before = there.all('typing').length;
    const again = setInterval(() => void here.command('typing', { chat_id: chat.id, is_typing: true }), 100);
    try {
      await there.until(() => there.all('typing').length > before, 'typing on the other node');
    } finally {
      clearInterval(again);
    }
    expect(performance.now() - start).toBeLessThan(ANSWER_MS);
  }

  beforeAll(async () => {
    [database, redis] = await Promise.all([createDatabase(), RedisServer.start()]);
    await redis.kill();
    const env = { DATABASE_URL: database.url, REDIS_URL: redis.url, JWT_SECRET: 'a secret of two nodes, long enough' };
    await inTemporaryFolder(async (folder) => {
      nodes = [env, env].map((one) => ServerProcess.start(folder, one));
      urls = await Promise.all(nodes.map((node) => node.url()));
    });
    const ben = { ...account, name: 'Ben', email: 'ben@example.com' };
    const ids = [];
    for (const body of [account, ben]) ids.push((await request(urls[0]!, 'POST', '/auth/register', { body })).body.id);
    token = (await login(urls[0]!)).body.access_token;
    const bens = await request(urls[1]!, 'POST', '/auth/login', { body: { username: ben.email, password: PASSWORD } });
    const body = { name: 'both', member_ids: [ids[1]] };
    chat = (await request<Chat>(urls[0]!, 'POST', '/groups', { token, body })).body;
    here = await Device.connect(urls[0]!, token);
    there = await Device.connect(urls[1]!, bens.body.access_token);
  });
  afterAll(async () => {
    here.close();
    there.close();
    for (const node of nodes) {
      // No error was left unhandled: that would have ended the process.
      expect(await node.stop('SIGTERM')).toBe(0);
      expect(node.output).not.toMatch(/unhandled|MaxListeners/i);
    }
    await redis.stop();
    await database.drop();
  });

  it('at the start: both nodes serve, and connect when Redis starts', async () => {
    await goesOn();
    await redis.restart();
    await heals();
  });

  it('because it is paused: both nodes serve, and notify each other again when it resumes', async () => {
    redis.pause();
    await goesOn();
    redis.resume();
    await heals();
  });

  it('because it is killed: both nodes serve, and notify each other again after the restart', async () => {
    await redis.kill();
    await goesOn();
    await redis.restart();
    await heals();
  });
});
