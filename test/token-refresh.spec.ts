import { randomBytes } from 'node:crypto';
import { expectProblem } from './support/expect-problem.js';
import { sessionCalls } from './support/session-calls.js';
import { TestApp, type TestUser } from './support/test-app.js';

const TOKEN = /^[\w-]{64}$/;

describe('token refresh', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  const { refresh, me, sessionsOf, expectAlive, expectEnded } = sessionCalls(() => app);

  it('returns new tokens of the same session', async () => {
    const ada = await app.user();
    const { status, body } = await refresh(ada.refreshToken);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 900,
      refresh_token: expect.stringMatching(TOKEN),
    });
    expect(ada.refreshToken).toMatch(TOKEN);
    expect(body.refresh_token).not.toBe(ada.refreshToken);
    expect((await me(body.access_token as string)).body.id).toBe(ada.id);
    expect(await sessionsOf(ada)).toHaveLength(1);
  });

  it('accepts the old token, with the same result, until the new one is used', async () => {
    const ada = await app.user();
    const lost = await refresh(ada.refreshToken);
    const again = await refresh(ada.refreshToken);
    expect([lost.status, again.status]).toEqual([200, 200]);
    expect(again.body.refresh_token).toBe(lost.body.refresh_token);
    expect((await refresh(again.body.refresh_token)).status).toBe(200);
    await expectAlive(ada);
  });

  it('returns the same, usable token to parallel calls with one token', async () => {
    const ada = await app.user();
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(ada.refreshToken)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const [next, ...others] = new Set(answers.map(({ body }) => body.refresh_token as string));
    expect(others).toEqual([]);
    expect((await refresh(next)).status).toBe(200);
    for (const { body } of answers) expect((await me(body.access_token as string)).status).toBe(200);
  });

  it('ends the session when a token is used again after its successor', async () => {
    const [ada, other] = [await app.user(), await app.user()];
    const tablet = await app.login(ada);
    const { body: second } = await refresh(ada.refreshToken);
    const { body: third } = await refresh(second.refresh_token);
    expectProblem(await refresh(ada.refreshToken), 401, 'unauthorized');
    await expectEnded(ada);
    for (const { access_token, refresh_token } of [second, third]) {
      expectProblem(await me(access_token as string), 401, 'unauthorized');
      expectProblem(await refresh(refresh_token), 401, 'unauthorized');
    }
    await expectAlive(tablet);
    await expectAlive(other);
  });

  it.each<[string, (ada: TestUser) => string]>([
    ['garbage', () => 'garbage'],
    ['an access token', ({ token }) => token],
    ['a token that was never handed out', () => randomBytes(48).toString('base64url')],
    [
      'a token made of the session id',
      ({ sessionId }) =>
        Buffer.concat([Buffer.from(sessionId.replaceAll('-', ''), 'hex'), randomBytes(32)]).toString('base64url'),
    ],
    ['a token with something behind it', ({ refreshToken }) => `${refreshToken}=`],
  ])('refuses %s, and ends nothing', async (_, token) => {
    const ada = await app.user();
    expectProblem(await refresh(token(ada)), 401, 'unauthorized');
    expect((await refresh(ada.refreshToken)).status).toBe(200);
  });

  it.each<[string, unknown, string]>([
    ['nothing', {}, 'refresh_token'],
    ['a number', { refresh_token: 1 }, 'refresh_token'],
    ['an empty text', { refresh_token: '' }, 'refresh_token'],
    ['U+0000', { refresh_token: '\0' }, 'refresh_token'],
    ['a text of 1001 characters', { refresh_token: 'x'.repeat(1_001) }, 'refresh_token'],
    ['another field', { refresh_token: 'x', grant_type: 'refresh_token' }, 'grant_type'],
  ])('refuses %s and names the field', async (_, body, field) => {
    expectProblem(await app.request('POST', '/auth/refresh', { body }), 400, 'validation_failed', [field]);
  });

  it('refuses an expired token; a later login deletes its session', async () => {
    const ada = await app.user();
    const tablet = await app.login(ada);
    const age = `UPDATE sessions SET expires_at = now() WHERE id = $1 RETURNING id`;
    expect(await app.sql(age, [tablet.sessionId])).toHaveLength(1);
    expectProblem(await refresh(tablet.refreshToken), 401, 'unauthorized');
    expect(await sessionsOf(ada)).toHaveLength(1);
    await app.login(ada);
    expect(await app.sql('SELECT id FROM sessions WHERE id = $1', [tablet.sessionId])).toEqual([]);
  });

  it('extends the session for another 30 days', async () => {
    const ada = await app.user();
    const daysLeft = async (): Promise<number> => {
      const left =
        'SELECT round(extract(epoch FROM expires_at - now()) / 86400)::int AS days FROM sessions WHERE id = $1';
      return (await app.sql(left, [ada.sessionId]))[0].days;
    };
    expect(await daysLeft()).toBe(30);
    await app.sql(`UPDATE sessions SET expires_at = now() + interval '1 day' WHERE id = $1`, [ada.sessionId]);
    await refresh(ada.refreshToken);
    expect(await daysLeft()).toBe(30);
  });

  it('stores nothing in the database that could be used as a token', async () => {
    const ada = await app.user();
    const { body } = await refresh(ada.refreshToken);
    const [row] = await app.sql('SELECT * FROM sessions WHERE id = $1', [ada.sessionId]);
    expect([row.current_hash, row.previous_hash].map(({ length }) => length)).toEqual([32, 32]);
    const stored = Buffer.concat(
      Object.values(row).map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value)))),
    );
    for (const token of [ada.refreshToken, body.refresh_token as string]) {
      const bytes = Buffer.from(token, 'base64url');
      for (const part of [Buffer.from(token), bytes.subarray(0, 16), bytes.subarray(16)]) {
        expect(stored.includes(part)).toBe(false);
      }
    }
  });

  it('issues no access token after the end of the session', async () => {
    const ada = await app.user();
    const answers = await Promise.all([refresh(ada.refreshToken), ada.post('/auth/logout'), refresh(ada.refreshToken)]);
    for (const { status, body } of answers) {
      if (status === 200) expectProblem(await me(body.access_token as string), 401, 'unauthorized');
    }
    await expectEnded(ada);
  });
});
