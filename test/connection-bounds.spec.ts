import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { RealtimeOptions } from '../src/realtime/realtime.options.js';
import { MAX_SESSION_SOCKETS } from '../src/realtime/connections/handshake.service.js';
import type { EngineConnection } from '../src/realtime/connections/engine-connection.js';
import { SocketServer } from '../src/realtime/socket.server.js';
import { PlainClient, refusedUpgrade } from './support/plain-client.js';
import { RawPolling, RawSocket } from './support/raw-clients.js';
import { TestApp, type TestUser } from './support/test-app.js';

const MAX_PACKETS = 50;
/** Each test that uses up a bound of an address has an address of its own; a window lasts longer than the tests. */
const OPTIONS: Partial<RealtimeOptions> = {
  // No test waits for it but those of the node that has little patience.
  joinTimeoutMs: 60_000,
  maxPackets: MAX_PACKETS,
  address: { connections: 40, pending: 5, handshakes: 60, packets: 200, windowMs: 120_000 },
};
const PONG = '3';
const UNKNOWN_EVENT = '42["no such command"]';
const BAD_CONNECT = '40{"token":"forged"}';
const POLLING = '/socket.io/?EIO=4&transport=polling';

let network = 0;
/** An address of the loopback interface that no other test uses. */
const nextAddress = (): string => `127.0.1.${(network += 1)}`;

describe('bounds of connections', () => {
  let app: TestApp;
  let ada: TestUser;

  beforeAll(async () => {
    app = await TestApp.start({ rateLimit: true }, OPTIONS);
    ada = await app.user();
  });
  afterAll(() => app.close());

  const joined = (user = ada, localAddress = nextAddress()): Promise<RawSocket> =>
    RawSocket.open(app.url, user.token, { localAddress });

  /** Checks that a device of somebody else, at another address, is still served. */
  const expectBystanderServed = async (): Promise<void> => {
    const bob = await app.user();
    const device = await bob.device();
    const chat = await bob.group();
    const { id } = await bob.say(chat);
    await device.next('message:created', (message) => message.id === id);
    device.close();
  };

  /** The polling handshake from an address, or with a header. */
  const handshake = (options: { localAddress?: string; headers?: Record<string, string> }) =>
    new Promise<{ status: number; retryAfter: string | undefined; body: string }>((resolve, reject) => {
      const sent = httpRequest(app.url + POLLING, { agent: false, ...options }, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += String(chunk)));
        response.on('end', () =>
          resolve({ status: response.statusCode!, retryAfter: response.headers['retry-after'], body }),
        );
      });
      sent.on('error', reject).end();
    });

  describe('cut a WebSocket that sends too much', () => {
    it.each<[what: string, send: (raw: RawSocket) => void]>([
      ['unknown events', (raw) => raw.send(UNKNOWN_EVENT)],
      ['commands', (raw) => raw.send('42["typing",{}]')],
      ['heartbeats', (raw) => raw.send(PONG)],
      ['pings of the WebSocket protocol', (raw) => raw.socket.ping()],
      ['pongs of the WebSocket protocol', (raw) => raw.socket.pong()],
    ])('%s', async (_, send) => {
      const raw = await joined();
      for (let i = 0; i < MAX_PACKETS; i += 1) send(raw);
      await raw.closed;
      await expectBystanderServed();
    });

    it('a few large packets', async () => {
      const raw = await joined();
      const large = `42["no such command","${'-'.repeat(60 * 1024)}"]`;
      for (let i = 0; i < 4; i += 1) raw.send(large);
      await raw.closed;
    });

    it('heartbeats before it has joined', async () => {
      const raw = await RawSocket.open(app.url, undefined, { localAddress: nextAddress() });
      for (let i = 0; i <= MAX_PACKETS; i += 1) raw.send(PONG);
      await raw.closed;
    });

    it('a message in many fragments', async () => {
      const raw = await joined();
      const plain = await PlainClient.open(app.url, `/ws/chat?token=${ada.token}`, { localAddress: nextAddress() });
      for (const { socket } of [raw, plain]) {
        for (let i = 0; i < 20; i += 1) socket.send('-', { fin: false });
      }
      expect([await raw.closed, (await plain.closed)[0]]).toEqual([1008, 1008]);
    });

    it('plain frames, pings and what is no frame among them', async () => {
      for (const frame of ['{"type":"ping"}', 'no frame', Buffer.from([1, 2, 3])]) {
        const localAddress = nextAddress();
        const client = await PlainClient.open(app.url, `/ws/chat?token=${ada.token}`, { localAddress });
        for (let i = 0; i <= MAX_PACKETS; i += 1) client.send(frame);
        await client.closed;
      }
    });

    it('probes of a change from polling to WebSocket', async () => {
      const polling = await RawPolling.open(app.url);
      await polling.post(`40${JSON.stringify({ token: ada.token })}`);
      await polling.poll();
      const probing = await polling.probe();
      for (let i = 0; i <= MAX_PACKETS; i += 1) probing.ping();
      await once(probing, 'close');
      expect((await polling.poll()).status).toBe(400);
    });
  });

  it('cut a polling connection whose body has too many packets', async () => {
    const polling = await RawPolling.open(app.url);
    await polling.post(...Array.from({ length: 10_000 }, () => PONG));
    expect((await polling.poll()).status).toBe(400);
    await expectBystanderServed();
  });

  it('handle nothing of such a body', async () => {
    const user = await app.user();
    const chat = await user.group();
    const polling = await RawPolling.open(app.url);
    await polling.post(`40${JSON.stringify({ token: user.token })}`);
    expect((await polling.poll()).body).toContain('40{');
    const command = { chat_id: chat.id, text: 'too much with it', client_message_id: 'first-of-many' };
    await polling.post(`42${JSON.stringify(['message:send', command])}`, ...Array<string>(MAX_PACKETS).fill(PONG));
    expect((await polling.poll()).status).toBe(400);
    // A message that is sent after it is the first one.
    expect(await user.say(chat)).toMatchObject({ seq: 1 });
  });

  it('leave a client that stays within them alone', async () => {
    const raw = await joined(await app.user());
    for (let i = 0; i < MAX_PACKETS - 2; i += 1) raw.send(UNKNOWN_EVENT);
    raw.send('421["typing",{}]');
    expect(await raw.next('431')).toContain('validation_failed');
    raw.socket.close();
  });

  describe('allow one CONNECT', () => {
    it.each([
      ['a second one', () => `40${JSON.stringify({ token: ada.token })}`],
      ['one of another namespace after it', () => '40/admin,'],
    ])('and cut a WebSocket after %s', async (_, packet) => {
      const raw = await joined();
      raw.send(packet());
      await raw.closed;
    });

    it.each([
      ['a forged token', BAD_CONNECT, '44{'],
      ['no token', '40', '44{'],
      ['another namespace', '40/admin,{}', '44/admin,'],
      ['another namespace with a query', '40/admin?a=b', '44/admin'],
    ])('and end the connection after the refusal of %s', async (_, packet, refusal) => {
      const raw = await RawSocket.open(app.url, undefined, { localAddress: nextAddress() });
      raw.send(packet);
      expect(await raw.next(refusal)).toContain('message');
      await raw.closed;

      const polling = await RawPolling.open(app.url);
      await polling.post(packet);
      expect((await polling.untilClosed()).filter((one) => one.startsWith(refusal))).toHaveLength(1);
    });

    it('of the many in one polling body', async () => {
      const { io } = app.nest.get(SocketServer);
      const before = io.sockets.sockets.size;
      const polling = await RawPolling.open(app.url);
      await polling.post(...Array.from({ length: 20 }, () => `40${JSON.stringify({ token: ada.token })}`));
      expect((await polling.poll()).status).toBe(400);
      expect(io.sockets.sockets.size).toBe(before);
    });
  });

  it('end a connection when its socket leaves the namespace', async () => {
    const raw = await joined();
    raw.send('41');
    await raw.closed;
  });

  describe('end a connection in time', () => {
    let node: TestApp;
    beforeAll(async () => {
      node = await TestApp.start({ databaseUrl: app.databaseUrl }, { ...OPTIONS, joinTimeoutMs: 300 });
    });
    afterAll(() => node.close());

    /** Opens a polling connection. `closed` resolves when the server has closed it. */
    const open = async (): Promise<{ polling: RawPolling; closed: Promise<unknown> }> => {
      const opened = once(node.nest.get(SocketServer).io.engine, 'connection');
      const polling = await RawPolling.open(node.url);
      const [connection] = (await opened) as [EngineConnection];
      return { polling, closed: once(connection, 'close') };
    };

    it('that leaves its namespace by polling and never polls again', async () => {
      const { polling, closed } = await open();
      await polling.post(`40${JSON.stringify({ token: ada.token })}`);
      await polling.poll();
      await polling.post('41');
      await closed;
    });

    it('that never joins, also by polling without a poll', async () => {
      await (
        await open()
      ).closed;
      await (
        await RawSocket.open(node.url)
      ).closed;
    });
  });

  describe('of one address', () => {
    it('refuse further connections by each transport, and let in another address', async () => {
      const localAddress = nextAddress();
      const open = await Promise.all(
        Array.from({ length: 5 }, () => RawSocket.open(app.url, undefined, { localAddress })),
      );
      const refused = await handshake({ localAddress });
      expect(refused.status).toBe(429);
      expect(Number(refused.retryAfter)).toBeGreaterThan(0);
      expect(JSON.parse(refused.body)).toMatchObject({ code: 'rate_limited' });
      for (const path of ['/socket.io/?EIO=4&transport=websocket', `/ws/chat?token=${ada.token}`]) {
        expect(await refusedUpgrade(app.url, path, { localAddress })).toMatchObject({ status: 429 });
      }
      expect((await handshake({ localAddress: nextAddress() })).status).toBe(200);
      // Whoever joins makes room.
      open[0]!.send(`40${JSON.stringify({ token: ada.token })}`);
      await open[0]!.next('40');
      expect((await handshake({ localAddress })).status).toBe(200);
      for (const { socket } of open) socket.close();
    });

    it('count open connections', async () => {
      const localAddress = nextAddress();
      const open: RawSocket[] = [];
      const users = await app.users(2);
      for (let i = 0; i < 40; i += 1) open.push(await joined(users[i % 2], localAddress));
      expect((await handshake({ localAddress })).status).toBe(429);
      open[0]!.socket.close();
      await open[0]!.closed;
      expect((await handshake({ localAddress })).status).toBe(200);
      for (const { socket } of open) socket.close();
    });

    it('count handshakes in a window, also of those who leave at once', async () => {
      const localAddress = nextAddress();
      for (let i = 0; i < 60; i += 1) {
        const raw = await joined(ada, localAddress);
        raw.send('41');
        await raw.closed;
      }
      expect((await handshake({ localAddress })).status).toBe(429);
    });

    it('count a connection that is cut for what it sent as ten handshakes more', async () => {
      const localAddress = nextAddress();
      for (let cuts = 0; cuts < 6; cuts += 1) {
        const raw = await joined(ada, localAddress);
        raw.send(BAD_CONNECT);
        await raw.closed;
      }
      expect((await handshake({ localAddress })).status).toBe(429);
      await expectBystanderServed();
    });

    it('count packets over all its connections, and then let no further one in', async () => {
      const localAddress = nextAddress();
      const open = await Promise.all(Array.from({ length: 5 }, () => joined(ada, localAddress)));
      const late = await joined(ada, localAddress);
      for (const raw of open) for (let i = 0; i < 40; i += 1) raw.send(PONG);
      await Promise.race(open.map((raw) => raw.closed));
      late.send(PONG);
      await late.closed;
      expect((await handshake({ localAddress })).status).toBe(429);
      await expectBystanderServed();
    });
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

  it('count the sockets of a session, so that it leaves room for the other sessions of its user', async () => {
    const user = await app.user();
    const other = await app.login(user);
    const open = await Promise.all(Array.from({ length: MAX_SESSION_SOCKETS }, () => joined(user)));
    const refused = await RawSocket.open(app.url, undefined, { localAddress: nextAddress() });
    refused.send(`40${JSON.stringify({ token: user.token })}`);
    expect(await refused.next('44')).toContain('rate_limited');
    open.push(await joined(other));
    for (const { socket } of open) socket.close();
  });
});
