import { io } from 'socket.io-client';
import type { AppConfig } from '../src/config/app.config.js';
import { TestApp } from './support/test-app.js';

describe('browser apps of other origins', () => {
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
  ] as const)('may use every method, with a token: %s', async (_, origins) => {
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

  it('get no leave when their origin is not named', async () => {
    for (const origins of [[], ['https://other.example.com']]) {
      const { headers } = await preflight(await start(origins), 'POST');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('may poll a socket from a named origin', async () => {
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
});
