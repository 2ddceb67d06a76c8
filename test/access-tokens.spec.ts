import { createHmac, createSecretKey } from 'node:crypto';
import { type AppConfig, appConfig } from '../src/config/app.config.js';
import { withClockAhead } from './support/clock.js';
import { expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { TestApp, type TestUser } from './support/test-app.js';

/** The header and the payload of a JWT. */
const decode = (token: string): any[] =>
  token.split('.', 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

describe('access token', () => {
  let app: TestApp;
  let user: TestUser;
  beforeAll(async () => {
    app = await TestApp.start();
    user = await app.user();
  });
  afterAll(() => app.close());

  const me = (token?: string): Promise<Answer> => app.request('GET', '/auth/me', { token });

  const sign = (
    payload: object,
    { alg = 'HS256', key = app.nest.get<AppConfig>(appConfig.KEY).jwtKey } = {},
  ): string => {
    const signed = `${encode({ alg, typ: 'JWT' })}.${encode(payload)}`;
    return `${signed}.${createHmac(alg.replace('HS', 'sha'), key).update(signed).digest('base64url')}`;
  };
  const foreign = createSecretKey(Buffer.from('the secret of somebody else, long enough'));
  const genuine = (): { sub: string; sid: string; iat: number; exp: number } => decode(user.token)[1];

  it('has an error code of its own when it has expired', async () => {
    expect((await me(sign(genuine()))).status).toBe(200);
    const answer = await me(sign({ ...genuine(), exp: Math.floor(Date.now() / 1000) - 1 }));
    expectProblem(answer, 401, 'token_expired');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer\b/);
  });

  it.each([
    ['ahead', 3_600_000],
    ['behind', -3_600_000],
  ])('is issued and judged by the clock of the database when that of the node is an hour %s', async (_, ms) => {
    const chat = await user.group();
    const expired = sign({ ...genuine(), exp: genuine().iat - 1 });
    await withClockAhead(ms, async () => {
      // Here, because its client judges heartbeats by this clock, too.
      const device = await user.device();
      const phone = await app.login(user);
      const [row] = await app.sql<{ now: number }>('SELECT extract(epoch FROM now())::float8 AS now');
      expect(Math.abs(decode(phone.token)[1].iat - row!.now)).toBeLessThan(60);
      for (const { token } of [user, phone]) expect((await me(token)).status).toBe(200);
      expectProblem(await me(expired), 401, 'token_expired');
      const typing = { chat_id: chat.id, is_typing: true };
      expect(await device.command('typing', typing)).toMatchObject({ ok: true });
      const refreshed = await device.command('auth:refresh', { token: phone.token });
      expect(refreshed).toMatchObject({ ok: true, data: { expires_in: expect.any(Number) } });
      expect(refreshed.ok && Math.abs(refreshed.data.expires_in - 900)).toBeLessThan(60);
      await expect(app.connect(expired)).rejects.toMatchObject({ data: { code: 'token_expired' } });
      expect((await phone.get('/chats')).body[0].id).toBe(chat.id);
    });
  });

  it('is refused, to be refreshed, when it is from the future by more than five minutes', async () => {
    const { iat, exp, ...claims } = genuine();
    const ahead = (seconds: number): string => sign({ ...claims, iat: iat + seconds, exp: exp + seconds });
    expect((await me(ahead(240))).status).toBe(200);
    expectProblem(await me(ahead(600)), 401, 'token_expired');
  });

  it.each<[string, () => string | undefined]>([
    ['is missing', () => undefined],
    ['is garbage', () => 'garbage'],
    ['is empty', () => ''],
    ['is unsigned', () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(genuine())}.`],
    [
      'keeps its signature under alg none',
      () => `${encode({ alg: 'none' })}.${user.token.split('.').slice(1).join('.')}`,
    ],
    ['is signed with another key', () => sign(genuine(), { key: foreign })],
    ['is signed with another algorithm', () => sign(genuine(), { alg: 'HS512' })],
    [
      'speaks for somebody else than was signed',
      () =>
        [user.token.split('.')[0], encode({ ...genuine(), sub: String(user.id + 1) }), user.token.split('.')[2]].join(
          '.',
        ),
    ],
    ['names no session', () => sign({ ...genuine(), sid: undefined })],
    ['names no user', () => sign({ ...genuine(), sub: undefined })],
    ['has run out and is forged', () => sign({ ...genuine(), exp: 1 }, { key: foreign })],
  ])('is refused when it %s', async (_, token) => {
    const answer = await me(token());
    expectProblem(answer, 401, 'unauthorized');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer\b/);
  });

  it.each([
    ['in the query', '/auth/me?access_token=', {}],
    ['under another scheme', '/auth/me', { Authorization: 'Basic ' }],
  ])('is refused %s', async (_, path, headers: Record<string, string>) => {
    const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value + user.token]));
    const answer = await app.request('GET', path.endsWith('=') ? path + user.token : path, { headers: sent });
    expectProblem(answer, 401, 'unauthorized');
  });
});
