import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { loadConfig } from '../src/config/app.config.js';
import { expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { TestApp } from './support/test-app.js';

describe('security headers', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  const answers = (): Promise<Answer[]> =>
    Promise.all([
      app.request('GET', '/health/live'),
      app.request('GET', '/docs'),
      app.request('GET', '/openapi.json'),
      app.request('GET', '/metrics'),
      app.request('GET', '/auth/me'),
      app.request('GET', '/nowhere'),
      app.request('POST', '/auth/login', { body: '{', headers: { 'Content-Type': 'application/json' } }),
    ]);

  it('tell a browser not to sniff, frame or run an answer', async () => {
    for (const { headers } of await answers()) {
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': expect.stringMatching(/^max-age=\d{8,}/),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
      });
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  it('forbid caching', async () => {
    const { token } = await app.user();
    for (const answer of [await app.request('GET', '/auth/me', { token }), ...(await answers())]) {
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  it('do not reveal the server software', async () => {
    for (const { headers, body } of await answers()) {
      for (const name of ['server', 'x-powered-by', 'via']) expect(headers.get(name)).toBeNull();
      if (headers.get('content-type')?.includes('problem')) {
        expect(JSON.stringify(body)).not.toMatch(/fastify|nestjs|node_modules|\.[jt]s\b|stack/i);
      }
    }
  });

  it('allow Swagger UI only the sources that it needs', async () => {
    const { headers, body: html } = await app.request<string>('GET', '/docs');
    const policy = headers.get('content-security-policy')!;
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('upgrade-insecure-requests');
    const scripts = [...html.matchAll(/<script([^>]*)>([^<]*)<\/script>/g)];
    expect(scripts.length).toBeGreaterThan(0);
    for (const [, attributes, text] of scripts) {
      expect(text!.trim()).toBe('');
      const src = /src="([^"]+)"/.exec(attributes!)![1]!;
      expect(src).not.toMatch(/^(https?:)?\/\//);
      const script = await app.request<string>('GET', new URL(src, `${app.url}/docs`).pathname);
      expect([script.status, script.headers.get('content-type')]).toEqual([200, expect.stringContaining('javascript')]);
    }
  });

  it('allow other origins in production only when they are named', async () => {
    const production = { NODE_ENV: 'production', DATABASE_URL: 'postgres://db/x', JWT_SECRET: 'x'.repeat(32) };
    const { corsOrigins } = loadConfig(production);
    expect(corsOrigins).toEqual([]);
    const strict = await TestApp.start({ corsOrigins });
    try {
      const answer = await strict.request('GET', '/health/live', { headers: { Origin: 'https://evil.example' } });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    } finally {
      await strict.close();
    }
  });
});

describe('raw requests', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  /** Sends raw bytes, which need not be HTTP. Returns the answer. */
  const send = async (bytes: string): Promise<Answer> => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    await once(socket, 'close');
    const [head, body] = text.split('\r\n\r\n') as [string, string];
    const [line, ...fields] = head.split('\r\n');
    const headers = new Headers(fields.map((field) => field.split(': ', 2) as [string, string]));
    expect(headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
    return { status: Number(line!.split(' ')[1]), headers, body: JSON.parse(body) };
  };

  /** Sends bytes that end in the middle of the headers. Resolves when the server has closed the connection. */
  const closedAfter = async (bytes: string): Promise<void> => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('error', () => undefined).resume();
    await once(socket, 'close');
  };

  it.each([
    ['headers over 16 KiB', `GET /health/live HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(17_000)}\r\n\r\n`],
    ['an address over 16 KiB', `GET /${'x'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['no HTTP', 'hello\r\n\r\n'],
    ['an address in bytes', 'GET /users?query=é HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['two lengths', 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    [
      'a length and chunks',
      'POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('with %s get a problem document, and the connection is closed', async (_, bytes) => {
    expectProblem(await send(bytes), 400, 'validation_failed');
    expect((await app.request('GET', '/health/live')).status).toBe(200);
  });

  it('with TRACE are not echoed', async () => {
    const secret = 'Authorization: Bearer x.y.z';
    const trace = await send(`TRACE /auth/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${secret}\r\n\r\n`);
    expect(trace.status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(trace.body)).not.toContain('x.y.z');
  });

  it('with a path longer than any route are refused', async () => {
    const { token } = await app.user();
    expectProblem(await app.request('GET', `/users/${'1'.repeat(200)}`, { token }), 400, 'validation_failed');
  });

  it('with an unknown expectation get a problem document', async () => {
    const bytes = 'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 200-ok\r\n\r\n';
    expectProblem(await send(bytes), 417, 'expectation_failed');
  });

  describe('that offer another protocol than WebSocket', () => {
    const OFFER = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n';
    const json = (text: string): string =>
      `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    const plain = 'GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n';
    /** Sends requests on one connection, each in pieces and after the answer before. Returns the statuses. */
    const statuses = async (...requests: string[][]): Promise<number[]> => {
      const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const found = (): number[] => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
      for (const [index, pieces] of requests.entries()) {
        for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
        while (found().length <= index) await once(socket, 'data');
      }
      socket.destroy();
      return found();
    };

    it.each([
      ['a GET', `GET /health/live HTTP/1.1\r\nHost: x\r\n${OFFER}\r\n`, 200],
      ['a GET without a token', `GET /auth/me HTTP/1.1\r\nHost: x\r\n${OFFER}\r\n`, 401],
      ['a POST', `POST /login HTTP/1.1\r\nHost: x\r\n${OFFER}${json('{"username":"a@b.cd","password":"wrong"}')}`, 401],
      [
        'a POST with a chunked body',
        `POST /login HTTP/1.1\r\nHost: x\r\n${OFFER}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
        400,
      ],
      ['a poll of Socket.IO', `GET /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: x\r\n${OFFER}\r\n`, 400],
      ['a path of the plain WebSocket', `GET /ws/chat HTTP/1.1\r\nHost: x\r\n${OFFER}\r\n`, 404],
      [
        'a WebSocket by POST',
        `POST /login HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${json('{}')}`,
        400,
      ],
    ])('are answered as without the offer: %s', async (_, bytes, status) => {
      const inHead = bytes.indexOf('Upgrade:') + 3;
      const inBody = bytes.indexOf('\r\n\r\n') + 5;
      const pieces = [bytes.slice(0, inHead), bytes.slice(inHead, inBody), bytes.slice(inBody)].filter(Boolean);
      expect(await statuses([bytes], pieces, [plain])).toEqual([status, status, 404]);
    });
  });

  it('have a time limit', async () => {
    const server: Server = app.nest.getHttpServer();
    expect(server).toMatchObject({ headersTimeout: 10_000, requestTimeout: 30_000, timeout: 60_000 });
    expect(server.keepAliveTimeout).toBe(59_000);
    // The same with less patience: Node looks every second, not every half a minute.
    Object.assign(server, { headersTimeout: 100, requestTimeout: 100 });
    await Promise.all(['', 'G', 'GET / HTTP/1.1\r\nHost: x\r\n'].map(closedAfter));
  });
});
