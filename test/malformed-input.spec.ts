import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { Device } from './support/device.js';
import { expectProblem } from './support/expect-problem.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

/** Malformed and malicious input: each gets the documented error, and the application serves the next request. */
describe('malformed input', () => {
  let app: TestApp;
  let ada: TestUser;
  let chatId: number;
  let device: Device;

  beforeAll(async () => {
    app = await TestApp.start();
    ada = await app.user();
    chatId = (await ada.group()).id;
    device = await ada.device();
  });
  afterEach(async () => {
    expect((await app.request('GET', '/health/ready')).status).toBe(200);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(await device.command('typing', { chat_id: chatId, is_typing: false })).toMatchObject({ ok: true });
  });
  afterAll(() => app.close());

  const good = { chat_id: 1, text: 'x', client_message_id: 'k' };

  /** [title, payload of the command, field named in the error] */
  const commands: [string, unknown, string][] = [
    ['a text that is a number', { ...good, text: 1 }, 'text'],
    ['a text that is an object', { ...good, text: { toString: 'x' } }, 'text'],
    ['a text that is null', { ...good, text: null }, 'text'],
    ['no text', { chat_id: 1, client_message_id: 'k' }, 'text'],
    ['an empty text', { ...good, text: '' }, 'text'],
    ['a blank text', { ...good, text: ' \n\t\u00a0\u2003' }, 'text'],
    ['U+0000', { ...good, text: 'a\u0000b' }, 'text'],
    ['a lone high surrogate', { ...good, text: 'a\ud83d' }, 'text'],
    ['a lone low surrogate', { ...good, text: '\ude00a' }, 'text'],
    ['an id as text', { ...good, chat_id: '1' }, 'chat_id'],
    ['an id with a fraction', { ...good, chat_id: 1.5 }, 'chat_id'],
    ['the id 0', { ...good, chat_id: 0 }, 'chat_id'],
    ['a negative id', { ...good, chat_id: -1 }, 'chat_id'],
    ['an id past 2^53', { ...good, chat_id: 2 ** 53 }, 'chat_id'],
    ['an id that is true', { ...good, chat_id: true }, 'chat_id'],
    ['an id in an array', { ...good, chat_id: [1] }, 'chat_id'],
    ['reply_to_id null', { ...good, reply_to_id: null }, 'reply_to_id'],
    ['a key with a space', { ...good, client_message_id: 'a b' }, 'client_message_id'],
    ['a key that is not ASCII', { ...good, client_message_id: 'ключ' }, 'client_message_id'],
    ['a key of 65 characters', { ...good, client_message_id: 'k'.repeat(65) }, 'client_message_id'],
    ['an empty key', { ...good, client_message_id: '' }, 'client_message_id'],
    ['an unknown field', { ...good, sender_id: 2 }, 'sender_id'],
    ['the field constructor', { ...good, constructor: 1 }, 'constructor'],
    ['an array', [good], 'body'],
    ['text for an object', 'x', 'body'],
    ['a number for an object', 1, 'body'],
    ['null for an object', null, 'body'],
  ];

  it.each(commands)('is refused on the socket with the name of the field: %s', async (_, payload, field) => {
    const ack = await device.raw('message:send', payload);
    expect(ack).toMatchObject({ ok: false, error: { code: 'validation_failed', retryable: false } });
    expect((ack as any).error.errors.map((error: any) => error.field)).toContain(field);
  });

  it.each(commands)('is refused over REST with the name of the field: %s', async (_, payload, field) => {
    const { status, headers, body } = await ada.post('/messages', JSON.stringify(payload), {
      'Content-Type': 'application/json',
    });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(body).toMatchObject({ type: 'about:blank', status: 400, code: 'validation_failed' });
    expect(body.request_id).toBe(headers.get('x-request-id'));
    // The JSON parser refuses a poisonous own `constructor`; the parser can't name a field.
    expect(body.errors.map((error: any) => error.field)).toContain(field);
  });

  describe('with more wrong than an answer names', () => {
    const MAX_ERRORS = 20;
    const fields = (count: number, name = (i: number) => i.toString(36)): Record<string, unknown> =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${name(i)}`, 1]));
    /** [title, payload] for `sync`, which takes the largest bodies. */
    const many: [string, unknown][] = [
      ['27,000 unknown fields', fields(27_000)],
      ['6,000 unknown fields', fields(6_000)],
      ['20 unknown fields, and a wrong one', { limit: 'x', ...fields(20) }],
      ['unknown fields with long names', fields(60, (i) => `${'\0'.repeat(600)}${i}`)],
      ['15,000 wrong cursors', { cursors: fields(15_000) }],
      ['a cursor with 15,000 unknown fields', { cursors: { 1: fields(15_000) } }],
    ];
    const expectFew = (errors: { field: string }[], size: number): void => {
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.length).toBeLessThanOrEqual(MAX_ERRORS);
      expect(size).toBeLessThan(30_000);
    };

    it.each(many)('is refused over REST with a short answer: %s', async (_, payload) => {
      const { status, body } = await ada.post('/sync', payload);
      expect([status, body.code]).toEqual([400, 'validation_failed']);
      expectFew(body.errors, JSON.stringify(body).length);
    });

    it.each(many.filter(([, payload]) => JSON.stringify(payload).length < 60_000))(
      'is refused on the socket with a short answer: %s',
      async (_, payload) => {
        const ack = (await device.raw('sync', payload)) as any;
        expect(ack).toMatchObject({ ok: false, error: { code: 'validation_failed' } });
        expectFew(ack.error.errors, JSON.stringify(ack).length);
      },
    );

    it('is refused with a short answer: a query, a list, and a body that needs no token', async () => {
      const ids = Array.from({ length: 10_000 }, () => 'x');
      for (const answer of [
        await ada.get(`/users?query=a&${new URLSearchParams(fields(1_500) as Record<string, string>)}`),
        await ada.post('/groups', { name: 'x', member_ids: ids }),
        await app.request('POST', '/auth/refresh', { body: fields(7_000) }),
      ]) {
        expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
        expectFew(answer.body.errors, JSON.stringify(answer.body).length);
      }
    });

    it('names what is wrong beside some unknown fields', async () => {
      const { body } = await ada.post('/sync', { cursors: {}, limit: 'x', one: 1, two: 2 });
      expect(body.errors.map(({ field }: { field: string }) => field).sort()).toEqual(['limit', 'one', 'two']);
    });
  });

  describe('over REST', () => {
    const json = { 'Content-Type': 'application/json' };
    const codeOf = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
      const answer = await ada.request(method, path, body, headers);
      expect(answer.headers.get('x-request-id')).toBeTruthy();
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      return [answer.status, answer.body.code];
    };

    it.each([
      '{',
      '{"chat_id":1,}',
      'undefined',
      '\u0000',
      '{"__proto__":{"admin":true}}',
      '{"a":{"constructor":{"prototype":{}}}}',
    ])('is refused: the body %j', async (body) => {
      expect(await codeOf('POST', '/messages', body, json)).toEqual([400, 'validation_failed']);
    });

    it('is refused: no body, and an empty body', async () => {
      expect(await codeOf('POST', '/messages')).toEqual([400, 'validation_failed']);
      expect(await codeOf('POST', '/messages', '', json)).toEqual([400, 'validation_failed']);
    });

    it('is refused above 64 KiB, and accepted up to 64 KiB', async () => {
      const ofSize = (size: number) => `{"text":"${'x'.repeat(size - '{"text":""}'.length)}"}`;
      expect(await codeOf('POST', '/messages', ofSize(64 * 1024), json)).toEqual([400, 'validation_failed']);
      expect(await codeOf('POST', '/messages', ofSize(64 * 1024 + 1), json)).toEqual([413, 'payload_too_large']);
    });

    it.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded'])(
      'is refused: the content type %s',
      async (type) => {
        expect(await codeOf('POST', '/messages', 'chat_id=1&text=x', { 'Content-Type': type })).toEqual([
          415,
          'unsupported_media_type',
        ]);
      },
    );

    describe('that is not UTF-8', () => {
      /** Characters up to U+00FF stand for bytes. */
      const send = async (path: string, type: string, bytes: string, more: Record<string, string> = {}) => {
        const headers = { Authorization: `Bearer ${ada.token}`, 'Content-Type': type, ...more };
        const response = await fetch(app.url + path, { method: 'POST', headers, body: Buffer.from(bytes, 'latin1') });
        return { status: response.status, headers: response.headers, body: await response.json() };
      };
      const FORM = 'application/x-www-form-urlencoded';
      const inUtf8 = (text: string): string => Buffer.from(text).toString('latin1');

      it.each(['\xff', 'caf\xe9', '\xc0\x80', '\xed\xa0\x80', '\xf5\x80\x80\x80', '\xd0'])(
        'is refused in JSON and in a form, never repaired: %j',
        async (bytes) => {
          const text = `{"name":"${bytes}","email":"${randomUUID()}@example.com","password":"${PASSWORD}"}`;
          expectProblem(await send('/register', 'application/json', text), 400, 'validation_failed', ['body']);
          const form = `username=ada%40example.com&password=${bytes}`;
          expectProblem(await send('/login', FORM, form), 400, 'validation_failed', ['body']);
          const encoded = `username=ada%40example.com&password=${[...bytes].map((byte) => `%${byte.charCodeAt(0).toString(16)}`).join('')}`;
          expectProblem(await send('/login', FORM, encoded), 400, 'validation_failed', ['body']);
        },
      );

      it.each(['%', '%4', '%zz', '100%25%'])('is refused in a form: the percent sign of %s', async (text) => {
        const form = `username=ada%40example.com&password=${text}`;
        expectProblem(await send('/login', FORM, form), 400, 'validation_failed', ['body']);
      });

      it.each([
        ['/messages', 'application/json; charset=iso-8859-1'],
        ['/messages', 'application/json;charset="UTF-16"'],
        ['/messages', 'application/json; charset=utf-8; charset=koi8-r'],
        ['/login', `${FORM}; Charset=windows-1251`],
      ])('is refused when it says so: %s, %s', async (path, type) => {
        expectProblem(await send(path, type, '{}'), 415, 'unsupported_media_type');
      });

      it.each(['utf-8', '"UTF-8"', 'utf8'])('is not meant by the charset %s', async (charset) => {
        const form = inUtf8(`username=${ada.email}&password=${PASSWORD}`);
        expect((await send('/login', `${FORM}; charset=${charset}`, form)).status).toBe(200);
        const body = inUtf8(`{"chat_id":${chatId},"text":"Привет"}`);
        expect((await send('/messages', `application/json; charset=${charset}`, body)).body.text).toBe('Привет');
      });

      it('is refused in a header, which is read as UTF-8', async () => {
        const login = JSON.stringify({ username: ada.email, password: PASSWORD });
        const from = (userAgent: string) => send('/login', 'application/json', login, { 'User-Agent': userAgent });
        expectProblem(await from('caf\xe9'), 400, 'validation_failed', ['User-Agent']);
        const device = `Телефон ${'🧮'.repeat(300)}`;
        const { body } = await from(inUtf8(device));
        const sessions = await app.request('GET', '/auth/sessions', { token: body.access_token });
        const { user_agent } = sessions.body.find(({ current }: { current: boolean }) => current);
        expect(user_agent).toBe([...device].slice(0, 200).join(''));
      });
    });

    it('is refused: a field of a form given twice', async () => {
      const form = new URLSearchParams([...Array(2).fill(['username', ada.email]), ['password', PASSWORD]]);
      expectProblem(await app.request('POST', '/login', { body: form }), 400, 'validation_failed', ['username']);
    });

    it.each(['0', '-1', '1.5', 'abc', '9007199254740992', '1e3', '%00', '1%20', '0x10', '٣'])(
      'is refused: the id %s in a path',
      async (id) => {
        expect(await codeOf('GET', `/chats/${id}`)).toEqual([400, 'validation_failed']);
        expect(await codeOf('POST', `/messages/${id}/read`)).toEqual([400, 'validation_failed']);
      },
    );

    it('is refused: a query parameter given twice', async () => {
      const { status, body } = await ada.get('/users?query=a&query=b');
      expect([status, body.errors[0].field]).toEqual([400, 'query']);
    });

    it.each(['%00', '%ED%A0%80', '%FF', '%', '%zz', '%C0%80', 'a%C3'])('is refused: the query %s', async (query) => {
      expect(await codeOf('GET', `/users?query=${query}`)).toEqual([400, 'validation_failed']);
    });

    it.each(['/%', '/%zz', '/chats/%E0%A4%A', '/nothing', '/../etc/passwd', '/__proto__', `/${'a'.repeat(5_000)}`])(
      'is a client error: the path %s',
      async (path) => {
        const [status, code] = await codeOf('GET', path);
        expect([400, 404]).toContain(status);
        expect(['validation_failed', 'not_found']).toContain(code);
      },
    );

    it.each([
      ['DELETE', '/messages', 'POST'],
      ['PUT', '/messages/1?x=y', 'DELETE, GET, HEAD, PATCH'],
      ['POST', '/users/me', 'DELETE, GET, HEAD, PATCH'],
      ['POST', '/health/live/', 'GET, HEAD'],
      ['PROPFIND', '/login', 'POST'],
    ])('is answered with 405 and the methods that are there: %s %s', async (method, path, allowed) => {
      const answer = await app.request(method, path);
      expectProblem(answer, 405, 'method_not_allowed');
      expect(answer.headers.get('allow')?.split(', ').sort().join(', ')).toBe(allowed);
    });

    it('is replaced in X-Request-Id; a valid request id is kept', async () => {
      const idFor = async (id: string) =>
        (await ada.request('GET', '/auth/me', undefined, { 'X-Request-Id': id })).headers.get('x-request-id');
      expect(await idFor('abc-123')).toBe('abc-123');
      expect(await idFor('x'.repeat(200))).toMatch(/^[0-9a-f-]{36}$/);
      expect(await idFor('<script>')).toMatch(/^[0-9a-f-]{36}$/);
    });

    it('is survived when a client disconnects in the middle of its body', async () => {
      const { port } = new URL(app.url);
      await new Promise<void>((resolve) => {
        const half = httpRequest({
          port,
          host: '127.0.0.1',
          path: '/messages',
          method: 'POST',
          headers: { ...json, 'Content-Length': 100 },
        });
        half.on('error', () => undefined);
        half.on('close', () => resolve());
        half.write('{"chat_id"', () => half.destroy());
      });
    });
  });

  describe('on the socket', () => {
    it.each(['nothing', '__proto__', 'constructor', 'toString', ''])(
      'is acked with an error: the unknown command %j',
      async (name) => {
        expect(await device.raw(name, {})).toMatchObject({ ok: false, error: { code: 'not_found', retryable: false } });
      },
    );

    it('is refused: __proto__ in a payload', async () => {
      const ack = await device.raw(
        'message:send',
        JSON.parse(`{"chat_id":1,"text":"x","client_message_id":"k","__proto__":{"admin":true}}`),
      );
      expect(ack).toMatchObject({ error: { code: 'validation_failed', errors: [{ field: '__proto__' }] } });
    });

    it.each([
      ['a buffer', [Buffer.from('x')]],
      ['a buffer in a field', [{ ...good, text: Buffer.from('x') }]],
      ['two payloads', [good, good]],
      ['no payload', []],
    ])('is refused: %s', async (_, args) => {
      expect(await device.raw('message:send', ...args)).toMatchObject({
        ok: false,
        error: { code: 'validation_failed' },
      });
    });

    it('causes no exception event', async () => {
      for (const event of ['message:send', 'message:read', 'typing', 'auth:refresh', 'nothing']) {
        (device.socket as Socket).emit(event, 'no object and no ack');
      }
      await device.raw('typing', {});
      expect(device.received.map(({ event }) => event as string)).not.toContain('exception');
    });

    it.each(['/socket.io/?EIO=4&transport=websocket', '/ws/chat?token='])(
      'ends the connection at a frame that is not UTF-8: %s',
      async (path) => {
        const url = `${app.url.replace('http', 'ws')}${path}${path.endsWith('=') ? ada.token : ''}`;
        const socket = new WebSocket(url);
        await once(socket, 'open');
        socket.send(Buffer.from('42["message:send",{"text":"\xff"}]', 'latin1'), { binary: false });
        expect((await once(socket, 'close'))[0]).toBe(1007);
      },
    );

    it('refuses a poll that is not UTF-8, and takes one whose characters come in parts', async () => {
      const path = '/socket.io/?EIO=4&transport=polling';
      const { body: opened } = await app.request<string>('GET', path);
      const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
      const poll = (parts: Buffer[]): Promise<Response> =>
        fetch(`${app.url}${path}&sid=${sid}`, {
          method: 'POST',
          headers: { 'Content-Type': 'text/plain;charset=UTF-8' },
          body: new ReadableStream({
            start: (stream) => {
              for (const part of parts) stream.enqueue(part);
              stream.close();
            },
          }),
          duplex: 'half',
        } as RequestInit);
      const send = (text: string): string =>
        `42["message:send",{"chat_id":${chatId},"text":"${text}","client_message_id":"poll"}]`;
      expect((await poll([Buffer.from(`40{"token":"${ada.token}"}`)])).status).toBe(200);
      const bytes = Buffer.from(send('Привет'));
      const half = bytes.indexOf('в') + 1;
      expect((await poll([bytes.subarray(0, half), bytes.subarray(half)])).status).toBe(200);
      expect((await device.next('message:created', ({ client_message_id }) => client_message_id === 'poll')).text).toBe(
        'Привет',
      );

      const refused = await poll([Buffer.from(send('caf\xe9'), 'latin1')]);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ code: 'validation_failed', errors: [{ field: 'body' }] });
    });

    it('disconnects only the client that sends a frame over 64 KiB', async () => {
      const rude = await ada.device();
      const cut = rude.disconnected();
      (rude.socket as Socket).emit('message:send', {
        ...good,
        text: 'x'.repeat(65 * 1024),
      });
      expect(await cut).toMatch(/transport/);
    });
  });
});
