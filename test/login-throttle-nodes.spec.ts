import { once } from 'node:events';
import { Redis } from 'ioredis';
import { RedisService } from '../src/redis/redis.service.js';
import type { Answer } from './support/http.js';
import { describeWithRedis, RedisServer } from './support/redis.js';
import { TestApp, type TestUser } from './support/test-app.js';

const WRONG = 'wrong horse';
/** Wrong passwords that one address may send for one account. */
const PAIR = 10;

describeWithRedis('login throttle on several nodes', () => {
  let redis: RedisServer;
  let apps: [TestApp, TestApp];

  beforeAll(async () => {
    redis = await RedisServer.start();
    const one = await TestApp.start({ rateLimit: true, redisUrl: redis.url });
    apps = [one, await TestApp.start({ rateLimit: true, redisUrl: redis.url, databaseUrl: one.databaseUrl })];
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await redis.stop();
  });

  const wrong = (user: TestUser, node: number): Promise<Answer> =>
    apps[node % 2]!.request('POST', '/auth/login', { body: { email: user.email, password: WRONG } });

  /** How many wrong passwords the two nodes check, in turns, before they refuse. */
  const guesses = async (user: TestUser): Promise<number> => {
    for (let count = 0; count < 50; count += 1) {
      const { status } = await wrong(user, count);
      if (status === 429) return count;
      expect(status).toBe(401);
    }
    throw new Error('they are never refused');
  };

  it('counts the attempts of all nodes together', async () => {
    expect(await guesses(await apps[0].user())).toBe(PAIR);
  });

  it('stores no email in Redis', async () => {
    const user = await apps[0].user();
    await wrong(user, 0);
    const client = new Redis(redis.url);
    const keys = await client.keys('*');
    client.disconnect();
    expect(keys.filter((key) => key.startsWith('limit:')).length).toBeGreaterThan(0);
    expect(keys.join()).not.toContain('@');
  });

  it.each<[string, () => unknown]>([
    ['dead', () => redis.kill()],
    ['silent', () => redis.pause()],
  ])('counts on each node alone while Redis is %s, and locks nobody out', async (_, takeAway) => {
    const ada = await apps[0].user();
    await takeAway();
    try {
      const started = performance.now();
      expect((await ada.get('/auth/me')).status).toBe(200);
      expect(performance.now() - started).toBeLessThan(3_000);
      expect(await guesses(ada)).toBeLessThanOrEqual(2 * PAIR);
      const bob = await apps[1].user();
      expect((await bob.get('/auth/me')).headers.get('x-ratelimit-limit')).toBe('1200');
    } finally {
      redis.resume();
      await redis.restart();
    }
    for (const app of apps) await ready(app);
    expect(await guesses(await apps[0].user())).toBe(PAIR);
  });
});

/** Waits until the connection of the node to Redis works again. */
async function ready(app: TestApp): Promise<void> {
  const client = app.nest.get(RedisService).client!;
  while (!(await client.ping().catch(() => undefined))) await once(client, 'ready');
}
