import { request as httpRequest } from 'node:http';
import type { Socket } from 'socket.io-client';
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
    ['the field hasOwnProperty', { ...good, hasOwnProperty: 1 }, 'hasOwnProperty'],
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

    it('is answered with 405 also with a form, which only a login accepts', async () => {
      expectProblem(
        await app.request('PUT', '/login', { body: new URLSearchParams('a=b') }),
        405,
        'method_not_allowed',
      );
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

    it('disconnects only the client that sends a frame over 512 KiB', async () => {
      const rude = await ada.device();
      const cut = rude.disconnected();
      (rude.socket as Socket).emit('message:send', {
        ...good,
        text: 'x'.repeat(512 * 1024),
      });
      expect(await cut).toMatch(/transport/);
    });
  });
});
