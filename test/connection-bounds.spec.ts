import { once } from 'node:events';
import { MAX_SESSION_SOCKETS } from '../src/realtime/connections/handshake.service.js';
import type { EngineConnection } from '../src/realtime/connections/engine-connection.js';
import { SocketServer } from '../src/realtime/socket.server.js';
import { BAD_CONNECT, BoundedApp, MAX_PACKETS, nextAddress, OPTIONS, PONG } from './support/bounded-app.js';
import { PlainClient } from './support/plain-client.js';
import { RawPolling, RawSocket } from './support/raw-clients.js';
import { TestApp, type TestUser } from './support/test-app.js';

const UNKNOWN_EVENT = '42["no such command"]';

describe('bounds of connections', () => {
  let bounded: BoundedApp;
  let app: TestApp;
  let ada: TestUser;

  beforeAll(async () => {
    bounded = await BoundedApp.start();
    ({ app, ada } = bounded);
  });
  afterAll(() => bounded.close());

  describe('cut a WebSocket that sends too much', () => {
    it.each<[what: string, send: (raw: RawSocket) => void]>([
      ['unknown events', (raw) => raw.send(UNKNOWN_EVENT)],
      ['commands', (raw) => raw.send('42["typing",{}]')],
      ['heartbeats', (raw) => raw.send(PONG)],
      ['pings of the WebSocket protocol', (raw) => raw.socket.ping()],
      ['pongs of the WebSocket protocol', (raw) => raw.socket.pong()],
    ])('%s', async (_, send) => {
      const raw = await bounded.joined();
      for (let i = 0; i < MAX_PACKETS; i += 1) send(raw);
      await raw.closed;
      await bounded.expectBystanderServed();
    });

    it('a few unknown events, each of which counts ten times', async () => {
      const raw = await bounded.joined();
      for (let i = 0; i < MAX_PACKETS / 10; i += 1) raw.send(UNKNOWN_EVENT);
      await raw.closed;
    });

    it('a few large packets', async () => {
      const raw = await bounded.joined();
      const large = `42["typing","${'-'.repeat(60 * 1024)}"]`;
      for (let i = 0; i < 4; i += 1) raw.send(large);
      await raw.closed;
    });

    it('one packet that is too large for a command', async () => {
      const large = '-'.repeat(MAX_PACKETS * 4_096);
      const raw = await bounded.joined();
      raw.send(`42["typing","${large}"]`);
      const plain = await PlainClient.open(app.url, `/ws/chat?token=${ada.token}`, { localAddress: nextAddress() });
      plain.send({ type: 'typing', large });
      await Promise.all([raw.closed, plain.closed]);
    });

    it('heartbeats before it has joined', async () => {
      const raw = await RawSocket.open(app.url, undefined, { localAddress: nextAddress() });
      for (let i = 0; i <= MAX_PACKETS; i += 1) raw.send(PONG);
      await raw.closed;
    });

    it('a message in many fragments', async () => {
      const raw = await bounded.joined();
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
    await bounded.expectBystanderServed();
  });

  it('cut a polling connection by the bytes of its packets, not by their characters', async () => {
    const polling = await RawPolling.open(app.url);
    await polling.post(`42["typing","${'я'.repeat((MAX_PACKETS * 4_096) / 2)}"]`);
    expect((await polling.poll()).status).toBe(400);
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
    const raw = await bounded.joined(await app.user());
    for (let i = 0; i < MAX_PACKETS - 12; i += 1) raw.send(PONG);
    raw.send(UNKNOWN_EVENT);
    raw.send('421["typing",{}]');
    expect(await raw.next('431')).toContain('validation_failed');
    raw.socket.close();
  });

  describe('allow one CONNECT', () => {
    it.each([
      ['a second one', () => `40${JSON.stringify({ token: ada.token })}`],
      ['one of another namespace after it', () => '40/admin,'],
    ])('and cut a WebSocket after %s', async (_, packet) => {
      const raw = await bounded.joined();
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
    const raw = await bounded.joined();
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

  it('count the sockets of a session, so that it leaves room for the other sessions of its user', async () => {
    const user = await app.user();
    const other = await app.login(user);
    const open = await Promise.all(Array.from({ length: MAX_SESSION_SOCKETS }, () => bounded.joined(user)));
    const refused = await RawSocket.open(app.url, undefined, { localAddress: nextAddress() });
    refused.send(`40${JSON.stringify({ token: user.token })}`);
    expect(await refused.next('44')).toContain('rate_limited');
    open.push(await bounded.joined(other));
    for (const { socket } of open) socket.close();
  });
});
