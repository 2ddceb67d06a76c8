import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { refusedUpgrade } from './support/plain-client.js';
import { BAD_CONNECT, BoundedApp, nextAddress, OPTIONS, POLLING, PONG } from './support/bounded-app.js';
import { RawSocket } from './support/raw-clients.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('bounds of an address', () => {
  let bounded: BoundedApp;
  let app: TestApp;
  let ada: TestUser;

  beforeAll(async () => {
    bounded = await BoundedApp.start();
    ({ app, ada } = bounded);
  });
  afterAll(() => bounded.close());

  it('refuse further connections by each transport, and let in another address', async () => {
    const localAddress = nextAddress();
    const open = await Promise.all(
      Array.from({ length: 5 }, () => RawSocket.open(app.url, undefined, { localAddress })),
    );
    const refused = await bounded.handshake({ localAddress });
    expect(refused.status).toBe(429);
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'rate_limited' });
    for (const path of ['/socket.io/?EIO=4&transport=websocket', `/ws/chat?token=${ada.token}`]) {
      expect(await refusedUpgrade(app.url, path, { localAddress })).toMatchObject({ status: 429 });
    }
    expect((await bounded.handshake({ localAddress: nextAddress() })).status).toBe(200);
    // Whoever joins makes room.
    open[0]!.send(`40${JSON.stringify({ token: ada.token })}`);
    await open[0]!.next('40');
    expect((await bounded.handshake({ localAddress })).status).toBe(200);
    for (const { socket } of open) socket.close();
  });

  it('count open connections', async () => {
    const localAddress = nextAddress();
    const open: RawSocket[] = [];
    const users = await app.users(2);
    for (let i = 0; i < 40; i += 1) open.push(await bounded.joined(users[i % 2], localAddress));
    expect((await bounded.handshake({ localAddress })).status).toBe(429);
    open[0]!.socket.close();
    await open[0]!.closed;
    expect((await bounded.handshake({ localAddress })).status).toBe(200);
    for (const { socket } of open) socket.close();
  });

  it('count handshakes in a window, also of those who leave at once', async () => {
    const localAddress = nextAddress();
    for (let i = 0; i < 60; i += 1) {
      const raw = await bounded.joined(ada, localAddress);
      raw.send('41');
      await raw.closed;
    }
    expect((await bounded.handshake({ localAddress })).status).toBe(429);
  });

  it('count a connection that is cut for what it sent as ten handshakes more', async () => {
    const localAddress = nextAddress();
    for (let cuts = 0; cuts < 6; cuts += 1) {
      const raw = await bounded.joined(ada, localAddress);
      raw.send(BAD_CONNECT);
      await raw.closed;
    }
    expect((await bounded.handshake({ localAddress })).status).toBe(429);
    await bounded.expectBystanderServed();
  });

  it('count a connection that was cut for want of a joined socket in the same way', async () => {
    const node = await TestApp.start(
      { rateLimit: true, databaseUrl: app.databaseUrl },
      { ...OPTIONS, joinTimeoutMs: 50 },
    );
    for (let cuts = 0; cuts < 6; cuts += 1) await (await RawSocket.open(node.url)).closed;
    expect((await node.request('GET', POLLING)).status).toBe(429);
    await node.close();
  });

  it('count packets over all its connections, and then let no further one in', async () => {
    const localAddress = nextAddress();
    const open = await Promise.all(Array.from({ length: 5 }, () => bounded.joined(ada, localAddress)));
    const late = await bounded.joined(ada, localAddress);
    for (const raw of open) for (let i = 0; i < 40; i += 1) raw.send(PONG);
    await Promise.race(open.map((raw) => raw.closed));
    late.send(PONG);
    await late.closed;
    expect((await bounded.handshake({ localAddress })).status).toBe(429);
    await bounded.expectBystanderServed();
  });

  it.each([
    ['upgrade', '/socket.io/?EIO=4&transport=websocket'],
    ['upgrade', '/ws/chat'],
    ['request', POLLING],
  ])('hold a refusal back (%s %s), but no more of them than may be pending', async (event, path) => {
    const address = { ...OPTIONS.address!, handshakes: 0, refusalDelayMs: 60_000 };
    const node = await TestApp.start({ rateLimit: true, databaseUrl: app.databaseUrl }, { address, maxPending: 1 });
    const arrived = once(node.nest.getHttpServer(), event);
    const client = connect(Number(new URL(node.url).port), '127.0.0.1');
    const upgrade = event === 'upgrade' ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : '';
    client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
    const [{ socket }] = (await arrived) as [IncomingMessage];
    expect((await node.request('GET', POLLING)).status).toBe(429);
    expect([socket.bytesWritten, socket.writableEnded]).toEqual([0, false]);
    // Who goes away meanwhile doesn't harm the node.
    const closed = new Promise((resolve) => socket.once('close', resolve));
    client.resetAndDestroy();
    await closed;
    expect((await node.request('GET', '/health/live')).status).toBe(200);
    await node.close();
  });

  it('count an IPv6 network of /64 as one address, and what a trusted proxy forwards', async () => {
    const node = await TestApp.start(
      { rateLimit: true, trustedProxies: ['127.0.0.1'], databaseUrl: app.databaseUrl },
      OPTIONS,
    );
    const from = (address: string) => node.request('GET', POLLING, { headers: { 'X-Forwarded-For': address } });
    for (let i = 1; i <= 5; i += 1) expect((await from(`2001:db8::${i}`)).status).toBe(200);
    expect((await from('2001:db8::ffff')).status).toBe(429);
    expect((await from('2001:db8:0:1::1')).status).toBe(200);
    await node.close();
  });
});
