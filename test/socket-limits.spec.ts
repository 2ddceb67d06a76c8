import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { CommandError } from '../src/contract/errors.js';
import type { Ack, ClientToServerEvents } from '../src/contract/events.js';
import type { Message } from '../src/contract/messages.js';
import { COMMAND_LIMITS } from '../src/realtime/commands/command-limit.guard.js';
import { MAX_SESSION_SOCKETS, MAX_SOCKETS } from '../src/realtime/connections/handshake.service.js';
import { onDatabase } from './support/database.js';
import type { Device } from './support/device.js';
import { PlainClient } from './support/plain-client.js';
import { RawSocket } from './support/raw-clients.js';
import { TestApp, type TestUser } from './support/test-app.js';

const codeOf = (ack: Ack<unknown>): string | undefined => (ack.ok ? undefined : ack.error.code);
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

describe('command limits of a user', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await TestApp.start({ rateLimit: true });
  });
  afterAll(() => app.close());

  it('count all sockets of the user; a refused command is not stored, and succeeds after retry_after_ms', async () => {
    const [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
    const chat = await ada.group(bob);
    const devices = [await ada.device(), await ada.device(), await ada.device()];
    const { points, duration } = COMMAND_LIMITS['message:send'];
    const texts = times(points + 5, (i) => `text ${i}`);
    const send = (device: Device, text: string, client_message_id: string = randomUUID()) =>
      device.command('message:send', { chat_id: chat.id, text, client_message_id });

    const acks = await Promise.all(texts.map((text, i) => send(devices[i % devices.length]!, text, `key-${i}`)));
    const refused = texts.flatMap((text, i) => (acks[i]!.ok ? [] : [{ text, key: `key-${i}` }]));
    expect(refused).toHaveLength(5);
    const hints = acks.flatMap((ack) => (ack.ok ? [] : [ack.error]));
    for (const error of hints) {
      expect(error).toEqual({
        code: 'rate_limited',
        message: expect.any(String),
        retryable: true,
        retry_after_ms: expect.any(Number),
      });
      expect(error.retry_after_ms).toBeGreaterThan(0);
      expect(error.retry_after_ms).toBeLessThanOrEqual(duration * 1_000);
    }
    expect((await send(await bob.device(), 'of somebody else')).ok).toBe(true);
    const { headers } = await ada.get<Message[]>(`/messages/history/${chat.id}`);
    expect(headers.get('x-total-count')).toBe(String(points + 1));

    await new Promise((resolve) => setTimeout(resolve, Math.max(...hints.map((error) => error.retry_after_ms!))));
    for (const { text, key } of refused) {
      expect(await send(devices[0]!, text, key)).toMatchObject({ ok: true, replayed: false });
    }
  });

  it.each(Object.keys(COMMAND_LIMITS) as (keyof ClientToServerEvents)[])(
    'have a separate bound for %s',
    async (command) => {
      const device = await (await app.user()).device();
      const answers = await Promise.all(times(COMMAND_LIMITS[command].points + 1, () => device.raw(command, {})));
      const codes = answers.map(codeOf);
      expect(codes.slice(0, -1)).not.toContain('rate_limited');
      expect(codes.at(-1)).toBe('rate_limited');
      const another = command === 'typing' ? 'message:read' : 'typing';
      expect(codeOf(await device.raw(another, {}))).toBe('validation_failed');
    },
  );

  it('apply equally to the plain WebSocket', async () => {
    const ada = await app.user();
    const chat = await ada.group();
    const client = await PlainClient.open(app.url, `/ws/${chat.id}?token=${ada.token}`);
    const { points } = COMMAND_LIMITS['message:send'];
    times(points + 1, (i) => client.send({ text: 'Hello!', client_message_id: `key-${i}` }));
    expect(await client.nextOf('error')).toMatchObject({
      code: 'rate_limited',
      retry_after_ms: expect.any(Number),
      client_message_id: `key-${points}`,
    });
    client.socket.close();
  });
});

describe('command queue of a socket', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.close());

  it('is bounded, and every command is acked', async () => {
    const ada = await app.user();
    const chat = await ada.group();
    const { id } = await ada.say(chat);
    const device = await ada.device();
    const { edit, waiting } = await onDatabase(app.databaseUrl, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM chats WHERE id = $1 FOR UPDATE', [chat.id]);
      const edit = device.command('message:edit', { message_id: id, text: 'has the socket to itself' });
      const waiting = times(1_099, () => device.raw('typing', {}).then(codeOf));
      expect(new Set(await Promise.all(waiting.slice(999)))).toEqual(new Set(['rate_limited']));
      return { edit, waiting: waiting.slice(0, 999) };
    });
    expect(await edit).toMatchObject({ ok: true });
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['validation_failed']));
  });
});

describe('sockets of one user', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
  });
  afterAll(() => app.close());

  it('are limited, also when opened at once; other users connect, and so does the user after a disconnect', async () => {
    const sessions = [ada, await app.login(ada), await app.login(ada)];
    const tries = await Promise.allSettled(times(MAX_SOCKETS + 10, (i) => sessions[i % 3]!.device()));
    const devices = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(devices).toHaveLength(MAX_SOCKETS);
    for (const one of tries) {
      if (one.status === 'rejected') {
        expect(one.reason).toMatchObject({
          data: { code: 'rate_limited', message: expect.any(String), retry_after_ms: expect.any(Number) },
        });
      }
    }
    const plain = await PlainClient.open(app.url, `/ws/chat?token=${ada.token}`);
    expect(await plain.closed).toEqual([1013, 'rate_limited']);
    await bob.device();

    const chat = await ada.group(bob);
    devices.pop()!.close();
    // The room is left before anything published later can be received.
    await devices[0]!.next('chat:created', ({ id }) => id === chat.id);
    const again = await ada.device();
    await ada.say(chat);
    await Promise.all([again, ...devices].map((device) => device.next('message:created')));
  });

  it('are not connected again by the client library when refused, and connect when the client is told to after the delay', async () => {
    const heartbeat = { pingIntervalMs: 400, pingTimeoutMs: 400 };
    const node = await TestApp.start({ databaseUrl: app.databaseUrl }, heartbeat);
    const ada = await node.user();
    // One client is gone without a close: it keeps its place until its heartbeat is missed.
    const gone = await RawSocket.open(node.url, ada.token);
    gone.socket.pause();
    await Promise.all(times(MAX_SESSION_SOCKETS - 1, () => ada.device()));
    const socket = io(node.url, { auth: { token: ada.token }, transports: ['websocket'] });
    let refusals = 0;
    socket.on('connect_error', (error) => {
      refusals += 1;
      const { data } = error as Error & { data: CommandError };
      expect(data).toMatchObject({ code: 'rate_limited', retry_after_ms: 800 });
      expect(socket.active).toBe(false);
      setTimeout(() => socket.connect(), data.retry_after_ms);
    });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    expect(refusals).toBeGreaterThan(0);
    socket.close();
    gone.socket.terminate();
    await node.close();
  });

  it('are disconnected after 5 seconds without authentication', async () => {
    const start = performance.now();
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const poll = '/socket.io/?EIO=4&transport=polling';
    const { sid } = JSON.parse(((await app.request('GET', poll)).body as string).slice(1)) as { sid: string };
    const polled = app.request('GET', `${poll}&sid=${sid}`);
    await once(socket, 'close');
    expect((await polled).body).toBe('1');
    const seconds = (performance.now() - start) / 1_000;
    expect(seconds).toBeGreaterThan(4.9);
    expect(seconds).toBeLessThan(9);
  });
});
