import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { AppConfig } from '../src/config/app.config.js';
import type { ErrorCode } from '../src/contract/errors.js';
import { expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { refusedUpgrade } from './support/plain-client.js';
import { TestApp } from './support/test-app.js';

describe('CORS', () => {
  const HERE = 'https://chat.example.com';
  const apps: TestApp[] = [];
  afterAll(() => Promise.all(apps.map((app) => app.close())));

  const start = async (corsOrigins: AppConfig['corsOrigins']): Promise<TestApp> => {
    const app = await TestApp.start({ corsOrigins });
    apps.push(app);
    return app;
  };
  const preflight = (app: TestApp, method: string) =>
    app.request('OPTIONS', '/messages/1', {
      headers: {
        Origin: HERE,
        'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': 'authorization,content-type,idempotency-key',
      },
    });

  it.each([
    ['any origin outside production', true],
    ['an origin that is named', [HERE]],
  ] as const)('allows every method, with a token: %s', async (_, origins) => {
    const app = await start(origins);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const { status, headers } = await preflight(app, method);
      expect([status, headers.get('access-control-allow-origin')]).toEqual([204, HERE]);
      expect(headers.get('access-control-allow-methods')?.split(/, ?/)).toContain(method);
      expect(headers.get('access-control-allow-headers')).toContain('authorization');
      expect(headers.get('x-request-id')).toBeTruthy();
    }
    const answer = await app.request('GET', '/health/live', { headers: { Origin: HERE } });
    expect(answer.headers.get('access-control-expose-headers')).toContain('X-Total-Count');
  });

  it('answers an OPTIONS request that is no preflight', async () => {
    const app = await start(true);
    expect((await app.request('OPTIONS', '/messages')).status).toBe(204);
  });

  it('does not allow an origin that is not named', async () => {
    for (const origins of [[], ['https://other.example.com']]) {
      const { headers } = await preflight(await start(origins), 'POST');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('lets a page read every refusal', async () => {
    const app = await start([HERE]);
    const { token } = await app.user();
    const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> =>
      app.request(method, path, { token, headers: { Origin: HERE, ...headers }, body });
    const json = { 'Content-Type': 'application/json' };
    const refusals: [number, ErrorCode, Answer][] = [
      [400, 'validation_failed', await ask('GET', '/chats/%E0%A4%A')],
      [400, 'validation_failed', await ask('GET', '/%FF')],
      [400, 'validation_failed', await ask('GET', `/users/${'1'.repeat(200)}`)],
      [400, 'validation_failed', await ask('POST', '/messages', json, '{')],
      [404, 'not_found', await ask('GET', '/nowhere')],
      [405, 'method_not_allowed', await ask('DELETE', '/messages')],
      [413, 'payload_too_large', await ask('POST', '/messages', json, ' '.repeat(70_000))],
      [415, 'unsupported_media_type', await ask('POST', '/messages', { 'Content-Type': 'text/plain' }, 'x')],
      [415, 'unsupported_media_type', await ask('POST', '/messages', { ...json, 'Content-Encoding': 'gzip' }, '{}')],
      [
        415,
        'unsupported_media_type',
        await app.request('POST', '/messages', { token, headers: { Origin: HERE }, body: new URLSearchParams('a=b') }),
      ],
    ];
    for (const [status, code, answer] of refusals) {
      expectProblem(answer, status, code);
      expect(answer.headers.get('access-control-allow-origin')).toBe(HERE);
      expect(answer.headers.get('access-control-expose-headers')).toContain('X-Request-Id');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    expect(refusals.at(-2)![2].headers.get('accept-encoding')).toBe('identity');
  });

  it('allows Socket.IO polling from a named origin', async () => {
    const app = await start([HERE]);
    const ada = await app.user();
    const socket = io(app.url, { auth: { token: ada.token }, transports: ['polling'], extraHeaders: { Origin: HERE } });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    socket.close();
    const polling = await app.request('GET', '/socket.io/?EIO=4&transport=polling', { headers: { Origin: HERE } });
    expect(polling.headers.get('access-control-allow-origin')).toBe(HERE);
  });

  describe('for a WebSocket upgrade', () => {
    const upgraded = '101';
    /** The answer to the upgrade, on Socket.IO and on the plain WebSocket. */
    const upgrades = async (app: TestApp, headers: Record<string, string>): Promise<string[]> => {
      const { token } = await app.user();
      const paths = ['/socket.io/?EIO=4&transport=websocket', `/ws/chat?token=${token}`];
      return Promise.all(
        paths.map(async (path) => {
          const socket = new WebSocket(app.url.replace(/^http/, 'ws') + path, { headers });
          const answer = new Promise<string>((resolve) => {
            socket.once('open', () => resolve(upgraded));
            socket.once('unexpected-response', (_, { statusCode }) => resolve(String(statusCode)));
          });
          await answer.finally(() => socket.on('error', () => undefined).terminate());
          return answer;
        }),
      );
    };
    const poll = async (app: TestApp, headers: Record<string, string>): Promise<number> =>
      (await app.request('GET', '/socket.io/?EIO=4&transport=polling', { headers })).status;

    it('allows named origins, the own origin and clients that are no browsers, when origins are named', async () => {
      const app = await start([HERE]);
      for (const headers of [{}, { Origin: HERE }, { Origin: app.url }, { Origin: app.url.replace('http', 'https') }]) {
        expect(await upgrades(app, headers as Record<string, string>)).toEqual([upgraded, upgraded]);
        expect(await poll(app, headers as Record<string, string>)).toBe(200);
      }
      for (const Origin of [
        'https://evil.example',
        'null',
        '',
        `${HERE}.evil.example`,
        HERE.replace('https', 'http'),
      ]) {
        expect(await upgrades(app, { Origin })).toEqual(['403', '403']);
        expect(await poll(app, { Origin })).toBe(403);
      }
    });

    it('allows the own origin and clients that are no browsers, when no origin is named', async () => {
      const app = await start([]);
      expect(await upgrades(app, {})).toEqual([upgraded, upgraded]);
      expect(await upgrades(app, { Origin: app.url })).toEqual([upgraded, upgraded]);
      expect(await upgrades(app, { Origin: HERE })).toEqual(['403', '403']);
    });

    it('allows everybody, when any origin is allowed', async () => {
      expect(await upgrades(await start(true), { Origin: 'https://evil.example' })).toEqual([upgraded, upgraded]);
    });

    it('refuses other origins on the plain WebSocket with a problem document', async () => {
      const { status, type, body } = await refusedUpgrade((await start([])).url, '/ws/chat', {
        headers: { Origin: HERE },
      });
      expect({ status, type }).toEqual({ status: 403, type: 'application/problem+json; charset=utf-8' });
      expect(JSON.parse(body)).toMatchObject({
        status: 403,
        code: 'origin_not_allowed',
        title: 'The origin is not allowed',
      });
    });
  });
});
