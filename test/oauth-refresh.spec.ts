import { onDatabase } from './support/database.js';
import { expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

/** What OAuth 2 clients send beside the refresh token, with and without values. */
const BESIDE = { scope: '', client_id: 'app', client_secret: 'secret', username: '', email: '', password: '' };

const form = (fields: Record<string, string>) => new URLSearchParams(fields);

/** The refresh grant of OAuth 2, RFC 6749 (6), at the URL of logins. */
describe('the refresh grant', () => {
  let app: TestApp;
  let ada: TestUser;
  beforeAll(async () => (app = await TestApp.start()));
  beforeEach(async () => (ada = await app.user()));
  afterAll(() => app.close());

  const send = (body: unknown, path = '/auth/login'): Promise<Answer> => app.request('POST', path, { body });
  const grant = (refresh_token: string, more: Record<string, string> = {}): Promise<Answer> =>
    send(form({ grant_type: 'refresh_token', refresh_token, ...more }));
  const refresh = (refresh_token: string): Promise<Answer> => send({ refresh_token }, '/auth/refresh');

  const expectError = ({ status, headers, body }: Answer, error: string): void => {
    expect([status, body]).toEqual([400, { error, error_description: expect.stringMatching(/^[ !#-[\]-~]+$/) }]);
    expect(headers.get('content-type')).toMatch(/^application\/json\b/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/./);
    expect(headers.get('www-authenticate')).toBeNull();
  };

  it.each<[string, string, (token: string) => unknown]>([
    ['a form', '/auth/login', (refresh_token) => form({ grant_type: 'refresh_token', refresh_token })],
    ['a form at the alias', '/login', (refresh_token) => form({ grant_type: 'refresh_token', refresh_token })],
    [
      'all that clients send',
      '/login',
      (refresh_token) => form({ grant_type: 'refresh_token', refresh_token, ...BESIDE }),
    ],
    ['JSON', '/auth/login', (refresh_token) => ({ grant_type: 'refresh_token', refresh_token, scope: '' })],
  ])('gets the next tokens of the session by %s', async (_, path, bodyOf) => {
    const { status, headers, body } = await send(bodyOf(ada.refreshToken), path);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 900,
      refresh_token: expect.any(String),
    });
    expect(body.refresh_token).not.toBe(ada.refreshToken);
    const { body: sessions } = await app.request('GET', '/auth/sessions', { token: body.access_token as string });
    expect(sessions).toMatchObject([{ id: ada.sessionId, current: true }]);
    expect((await refresh(body.refresh_token as string)).status).toBe(200);
  });

  it('rotates as POST /auth/refresh does, and with it', async () => {
    const [one, again] = await Promise.all([grant(ada.refreshToken), grant(ada.refreshToken)]);
    expect([again.status, again.body.refresh_token]).toEqual([200, one.body.refresh_token]);
    expect((await refresh(ada.refreshToken)).body.refresh_token).toBe(one.body.refresh_token);
    const { body: second } = await grant(one.body.refresh_token as string);
    expectError(await grant(ada.refreshToken), 'invalid_grant');
    expectError(await grant(second.refresh_token as string), 'invalid_grant');
    expectProblem(await ada.get('/auth/me'), 401, 'unauthorized');
  });

  it('takes a client_refresh_id', async () => {
    const { body } = await grant(ada.refreshToken, { client_refresh_id: 'once' });
    await app.sql(`UPDATE sessions SET rotated_at = rotated_at - interval '1 day' WHERE id = $1`, [ada.sessionId]);
    const { body: again } = await grant(ada.refreshToken, { client_refresh_id: 'once' });
    expect(again.refresh_token).toBe(body.refresh_token);
    expectError(await grant(ada.refreshToken, { client_refresh_id: 'a b' }), 'invalid_request');
  });

  it('answers invalid_grant for a token that is not good', async () => {
    for (const token of ['a.b.c', ada.token, 'x'.repeat(64)]) expectError(await grant(token), 'invalid_grant');
    await ada.post('/auth/logout');
    expectError(await grant(ada.refreshToken), 'invalid_grant');
  });

  it.each<[string, unknown]>([
    ['no token', form({ grant_type: 'refresh_token' })],
    ['an empty token', form({ grant_type: 'refresh_token', refresh_token: '' })],
    ['two tokens', new URLSearchParams('grant_type=refresh_token&refresh_token=a&refresh_token=b')],
    ['a token of 1,001 characters', form({ grant_type: 'refresh_token', refresh_token: 'x'.repeat(1_001) })],
    ['a number', { grant_type: 'refresh_token', refresh_token: 1 }],
    ['an unknown field that no description may hold', { grant_type: 'refresh_token', refresh_token: 'x', '"ж\\': 1 }],
  ])('answers invalid_request for %s', async (_, body) => expectError(await send(body), 'invalid_request'));

  it('checks no password: with one it is an invalid_request', async () => {
    for (const password of [PASSWORD, 'wrong horse']) {
      expectError(await grant(ada.refreshToken, { username: ada.email, password }), 'invalid_request');
    }
    expect((await grant(ada.refreshToken)).status).toBe(200);
  });

  it.each(['client_credentials', 'Refresh_Token', 'refresh_token '])(
    'leaves the other errors of a login problems: grant_type=%s',
    async (grant_type) => {
      const fields = { grant_type, refresh_token: ada.refreshToken };
      expect((await send(form(fields))).body.errors).toContainEqual({
        field: 'grant_type',
        message: 'must be password or refresh_token',
      });
      expectProblem(await send(form({ ...fields, password: PASSWORD })), 400, 'validation_failed');
      expectProblem(await send(form({ username: ada.email, password: 'x' })), 401, 'invalid_credentials');
    },
  );

  it('leaves unavailable a problem', async () => {
    await onDatabase(app.databaseUrl, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM sessions WHERE id = $1 FOR UPDATE', [ada.sessionId]);
      expectProblem(await grant(ada.refreshToken), 503, 'unavailable');
      await client.query('ROLLBACK');
    });
    expect((await grant(ada.refreshToken)).status).toBe(200);
  });

  it('is described in the OpenAPI document', async () => {
    const { body: document } = await app.request('GET', '/openapi.json');
    const { flows } = document.components.securitySchemes.password;
    expect(flows.password).toMatchObject({ tokenUrl: '/auth/login', refreshUrl: '/auth/login' });
    for (const path of ['/auth/login', '/login']) {
      const { 400: refused } = document.paths[path].post.responses;
      expect(Object.keys(refused.content as object).sort()).toEqual(['application/json', 'application/problem+json']);
      expect(refused.content['application/json'].schema.$ref).toBe('#/components/schemas/OAuthError');
    }
  });
});

describe('limits of the refresh grant', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ rateLimit: true, trustedProxies: ['loopback'] })));
  afterAll(() => app.close());

  const send = (path: string, body: unknown, address: string): Promise<Answer> =>
    app.request('POST', path, { body, headers: { 'X-Forwarded-For': address } });
  const limitsOf = ({ headers }: Answer) => ['limit', 'remaining'].map((name) => headers.get(`x-ratelimit-${name}`));

  it('are those of refreshes, not of logins', async () => {
    const [ada, here] = [await app.user(), '10.2.0.1'];
    const grant = { grant_type: 'refresh_token', refresh_token: ada.refreshToken };
    const logIn = { username: ada.email, password: PASSWORD };
    expect(limitsOf(await send('/auth/login', form(grant), here))).toEqual(['600', '599']);
    expect(limitsOf(await send('/login', grant, here))).toEqual(['600', '598']);
    expect(limitsOf(await send('/auth/refresh', { refresh_token: ada.refreshToken }, here))).toEqual(['600', '597']);
    expect(limitsOf(await send('/auth/login', form(logIn), here))).toEqual(['120', '119']);
    expect(limitsOf(await send('/auth/login', { ...logIn, grant_type: ['refresh_token'] }, here))).toEqual([
      '120',
      '118',
    ]);
    const answers = await Promise.all(Array.from({ length: 28 }, () => send('/login', grant, here)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(27);
    expectProblem(
      answers.find(({ status }) => status !== 200)!,
      429,
      'rate_limited',
    );
  });

  it('are no way around those of wrong passwords, and independent of them', async () => {
    const [ada, there] = [await app.user(), '10.2.0.2'];
    const guess = (password: string) => send('/auth/login', form({ username: ada.email, password }), there);
    for (let left = 10; left > 0; left -= 1) expect((await guess('wrong horse')).status).toBe(401);
    const grant = { grant_type: 'refresh_token', refresh_token: ada.refreshToken };
    const both = await send('/auth/login', form({ ...grant, username: ada.email, password: PASSWORD }), there);
    expect([both.status, both.body.error]).toEqual([400, 'invalid_request']);
    expect((await send('/auth/login', form(grant), there)).status).toBe(200);
    expectProblem(await guess(PASSWORD), 429, 'rate_limited');
  });
});
