import { once } from 'node:events';
import { connect } from 'node:net';
import { JwtService } from '@nestjs/jwt';
import { SocketServer } from '../src/realtime/socket.server.js';
import { PlainClient, refusedUpgrade } from './support/plain-client.js';
import { TestApp, type TestUser, unique } from './support/test-app.js';

describe('plain WebSocket handshake', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let eve: TestUser;
  let chat: { id: number };

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, bob, eve] = (await app.users(3)) as [TestUser, TestUser, TestUser];
    chat = await ada.group(bob);
  });
  afterAll(() => app.close());

  const key = (): string => `key-${unique()}`;
  const tokenOf = ({ id }: TestUser, expiresIn: number): string =>
    app.nest.get(JwtService).sign({ sid: 'a session' }, { subject: String(id), expiresIn });
  const opened: PlainClient[] = [];
  const open = async (path: string, headers: Record<string, string> = {}): Promise<PlainClient> => {
    const client = await PlainClient.open(app.url, path, { headers });
    opened.push(client);
    return client;
  };
  // A session may have only so many sockets.
  const closeOpened = (): void => opened.splice(0).forEach(({ socket }) => socket.terminate());
  /** Waits until the client has received a message of its own: it is connected and served. */
  const isServed = async (client: PlainClient): Promise<void> => {
    const frame = { chat_id: chat.id, text: `text ${unique()}`, client_message_id: key() };
    client.send(frame);
    await client.next(({ client_message_id }) => client_message_id === frame.client_message_id);
  };

  it.each<[string, () => string, [number, string]]>([
    ['no token', () => '/ws/chat', [4401, 'unauthorized']],
    ['an empty one', () => '/ws/chat?token=', [4401, 'unauthorized']],
    ['garbage', () => '/ws/chat?token=%FF%00{"a":1}', [4401, 'unauthorized']],
    ['a token that has run out', () => `/ws/chat?token=${tokenOf(ada, -1)}`, [4401, 'token_expired']],
    ['only a user_id', () => `/ws/chat?user_id=${ada.id}`, [4401, 'unauthorized']],
    ['the user_id of another', () => `/ws/chat?user_id=${bob.id}&token=${ada.token}`, [4401, 'unauthorized']],
    ['a user_id that is none', () => `/ws/chat?user_id=&token=${ada.token}`, [4401, 'unauthorized']],
    ['no token for a chat', () => `/ws/${chat.id}`, [4401, 'unauthorized']],
    ['a chat of others', () => `/ws/${chat.id}?token=${eve.token}`, [4404, 'chat_not_found']],
    ['a chat that is not there', () => `/ws/999999999?token=${ada.token}`, [4404, 'chat_not_found']],
    ['an id beyond all ids', () => `/ws/99999999999999999999?token=${ada.token}`, [4404, 'chat_not_found']],
    ['an id beyond 2^53', () => `/ws/9999999999999999?token=${ada.token}`, [4404, 'chat_not_found']],
    ['something that is no id', () => `/ws/undefined?token=${ada.token}`, [4404, 'chat_not_found']],
  ])('closes the connection for %s', async (_, path, end) => {
    const client = await open(path());
    client.send({ type: 'ping' }); // Too early: the server never reads it.
    expect(await client.closed).toEqual(end);
    expect(client.received).toEqual([]);
  });

  it.each<[string, () => [string, Record<string, string>?]]>([
    ['the token in the header', () => ['/ws/chat', { Authorization: `Bearer ${ada.token}` }]],
    ['the token in the query', () => [`/ws/chat?token=${ada.token}`]],
    ['a slash at the end', () => [`/ws/chat/?token=${ada.token}`]],
    ["the user's own user_id", () => [`/ws/${chat.id}?user_id=${ada.id}&token=${ada.token}`]],
  ])('accepts %s', async (_, request) => {
    const client = await open(...request());
    expect(client.socket.extensions).toBe('');
    await isServed(client);
    client.socket.close();
    expect((await client.closed)[0]).toBe(1005);
  });

  it('keeps the frames that a client sends before it is accepted', async () => {
    const client = await open(`/ws/${chat.id}?token=${ada.token}`);
    for (let i = 0; i < 50; i++) client.send({ text: `early ${i}`, client_message_id: key() });
    await client.next(({ text }) => text === 'early 49');
    const texts = client.received.map(({ text }) => text).filter((text) => text?.startsWith('early'));
    expect(texts).toEqual(Array.from({ length: 50 }, (_, i) => `early ${i}`));
  });

  it.each(['/ws', '/ws/', '/ws/1/2', '/elsewhere'])('answers 404 at %s', async (path) => {
    const { status, type, body } = await refusedUpgrade(app.url, `${path}?token=${ada.token}`);
    expect({ status, type }).toEqual({ status: 404, type: 'application/problem+json; charset=utf-8' });
    expect(JSON.parse(body)).toMatchObject({ status: 404, code: 'not_found', request_id: expect.any(String) });
  });

  describe('when the token expires', () => {
    const expired = async (node = app, path = 'chat'): Promise<PlainClient> => {
      const client = await PlainClient.open(node.url, `/ws/${path}?token=${tokenOf(ada, 1)}`);
      await client.nextOf('auth:expired');
      return client;
    };

    it('sends auth:expired, accepts only a new token of the same user, and then continues', async () => {
      const client = await expired();
      expect(client.received).toEqual([{ type: 'auth:expired' }]);
      client.send({ chat_id: chat.id, text: 'too late', client_message_id: 'late' });
      expect(await client.nextOf('error')).toMatchObject({ code: 'token_expired', client_message_id: 'late' });
      client.send({ type: 'auth:refresh', token: bob.token });
      expect(await client.next(({ code }) => code === 'unauthorized')).toMatchObject({ type: 'error' });
      client.send({ type: 'auth:refresh', token: ada.token });
      expect(await client.nextOf('auth:refresh')).toEqual({ type: 'auth:refresh', expires_in: expect.any(Number) });
      await isServed(client);
    });

    it('accepts a new token on a connection to one chat, too', async () => {
      const client = await expired(app, String(chat.id));
      client.send({ type: 'auth:refresh', token: ada.token });
      expect(await client.nextOf('auth:refresh')).toEqual({ type: 'auth:refresh', expires_in: expect.any(Number) });
    });

    it('closes with 4401 when no new token arrives in time', async () => {
      const node = await TestApp.start({ databaseUrl: app.databaseUrl }, { expiryGraceMs: 1 });
      const client = await expired(node);
      expect(await client.closed).toEqual([4401, 'token_expired']);
      await node.close();
    });
  });

  describe('and broken clients: the server keeps serving the others when a client', () => {
    let bystander: PlainClient;
    beforeAll(async () => (bystander = await PlainClient.open(app.url, `/ws/chat?token=${bob.token}`)));
    afterEach(async () => {
      closeOpened();
      await isServed(bystander);
    });

    const message = (over: object) => ({ chat_id: chat.id, text: 'x', client_message_id: 'the-key', ...over });
    it.each<[string, () => string | object, string, string[]]>([
      ['no JSON', () => 'hello', 'validation_failed', ['frame']],
      ['nothing', () => '', 'validation_failed', ['frame']],
      ['a list', () => [1], 'validation_failed', ['frame']],
      ['null', () => 'null', 'validation_failed', ['frame']],
      ['bytes', () => Buffer.from('{"type":"ping"}'), 'validation_failed', ['frame']],
      ['a number', () => '42', 'validation_failed', ['frame']],
      [
        'depths',
        () => '{"text":'.repeat(7000) + '1' + '}'.repeat(7000),
        'validation_failed',
        ['chat_id', 'client_message_id', 'text'],
      ],
      ['an unknown type', () => ({ type: 'message:send' }), 'validation_failed', ['type']],
      ['a type that is no text', () => ({ type: 1 }), 'validation_failed', ['type']],
      ["a type of the language's", () => ({ type: 'constructor' }), 'validation_failed', ['type']],
      ['nothing but braces', () => ({}), 'validation_failed', ['chat_id', 'client_message_id', 'text']],
      ['no key', () => message({ client_message_id: undefined }), 'validation_failed', ['client_message_id']],
      ['a blank text', () => message({ text: ' ' }), 'validation_failed', ['text']],
      ['an unknown field', () => message({ more: 1 }), 'validation_failed', ['more']],
      ['a ping with another field', () => ({ type: 'ping', more: 1 }), 'validation_failed', ['frame']],
      ['an object for a text', () => message({ text: { a: 1 } }), 'validation_failed', ['text']],
      ['a key that is no text', () => message({ client_message_id: 1 }), 'validation_failed', ['client_message_id']],
      ['a prototype', () => `{"__proto__":{"polluted":1}}`, 'validation_failed', ['__proto__']],
      ['a flat one', () => `{"type":"read","message_id":1,"__proto__":1}`, 'validation_failed', ['__proto__']],
      ['a read without its message', () => ({ type: 'read' }), 'validation_failed', ['message_id']],
      ['a chat of nobody', () => message({ chat_id: 999_999_999 }), 'chat_not_found', []],
      ['a message of nobody', () => ({ type: 'read', message_id: 999_999_999 }), 'message_not_found', []],
      ['typing to nobody', () => ({ type: 'typing', chat_id: 999_999_999, is_typing: true }), 'chat_not_found', []],
    ])('sends %s, and answers with one error frame', async (_, makeFrame, code, fields) => {
      const client = await open(`/ws/chat?token=${ada.token}`);
      const frame = makeFrame();
      client.send(frame);
      const { errors, ...error } = await client.nextOf('error');
      const { client_message_id } = frame as { client_message_id?: unknown };
      const named = typeof client_message_id === 'string' ? { client_message_id } : {};
      expect(error).toEqual({ type: 'error', code, message: expect.any(String), retryable: false, ...named });
      expect((errors ?? []).map(({ field }: { field: string }) => field).sort()).toEqual(fields);
      await isServed(client);
      expect(client.received.filter(({ type }) => type === 'error')).toHaveLength(1);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });

    it('reuses a key for another message, and names the key in the error', async () => {
      const client = await open(`/ws/chat?token=${ada.token}`);
      const frame = { chat_id: chat.id, text: 'one', client_message_id: key() };
      client.send(frame);
      client.send({ ...frame, text: 'another' });
      const { client_message_id } = frame;
      expect(await client.nextOf('error')).toMatchObject({ code: 'client_message_id_conflict', client_message_id });
    });

    it('sends a thousand broken frames, and answers each', async () => {
      const client = await open(`/ws/chat?token=${ada.token}`);
      const { id: chat_id } = await ada.group();
      const whole = JSON.stringify(message({ chat_id, text: 'a \u{1F600} "text"' }));
      for (let i = 0; i < 1000; i++) client.send(whole.slice(0, i % whole.length) + ']}"\u0000'[i % 4]!);
      const answers = () => client.received.filter(({ code, seq }) => code === 'validation_failed' || seq === 1);
      await client.next(() => answers().length === 1000);
      await isServed(client);
    });

    it.each([
      ['breaks the protocol', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])],
      ['sends text that is not UTF-8', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe])],
      ['disconnects in the middle of a frame', Buffer.from([0x81, 0xfe])],
      ['disconnects at once', Buffer.alloc(0)],
    ])('%s', async (_, bytes) => {
      const { hostname, port } = new URL(app.url);
      const socket = connect(Number(port), hostname).on('error', () => undefined);
      socket.write(
        `GET /ws/chat?token=${ada.token} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      );
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1.1 101 /);
      socket.write(bytes);
      if (bytes.length > 4) await once(socket, 'close');
      else socket.resetAndDestroy();
    });
  });

  it('closes only the connection of a client that no longer answers pings', async () => {
    const { pingInterval, pingTimeout } = app.nest.get(SocketServer).io.engine.opts;
    expect([pingInterval, pingTimeout]).toEqual([25_000, 20_000]);
    const options = { pingIntervalMs: 20, pingTimeoutMs: 200 };
    const node = await TestApp.start({ databaseUrl: app.databaseUrl }, options);
    const path = `/ws/chat?token=${ada.token}`;
    const silent = await PlainClient.open(node.url, path, { autoPong: false });
    const alive = await PlainClient.open(node.url, path);
    expect((await silent.closed)[0]).toBe(1001);
    for (let pings = 0; pings < 15; pings++) await once(alive.socket, 'ping');
    await isServed(alive);
    alive.socket.terminate();
    await node.close();
  });

  it('closes with 1001 when the server stops', async () => {
    const other = await TestApp.start();
    const user = await other.user();
    const client = await PlainClient.open(other.url, `/ws/chat?token=${user.token}`);
    await client.ping();
    await other.close();
    expect((await client.closed)[0]).toBe(1001);
  });
});
