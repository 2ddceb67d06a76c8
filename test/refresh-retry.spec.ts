import { DatabaseClock } from '../src/database/database.clock.js';
import { withClockAhead } from './support/clock.js';
import { expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

/** What a client gets that sends a refresh again because the answer was lost, and what somebody gets who copied it. */
describe('a refresh that is sent again', () => {
  let app: TestApp;
  let node2: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
    node2 = await TestApp.start({ databaseUrl: app.databaseUrl });
  });
  afterAll(async () => {
    await node2.close();
    await app.close();
  });

  const refresh = (refresh_token: unknown, client_refresh_id?: unknown, node = app): Promise<Answer> =>
    node.request('POST', '/auth/refresh', { body: { refresh_token, client_refresh_id } });

  /** The next refresh token; both tokens of the answer are good. */
  const next = async (token: string, id?: string, node = app): Promise<string> => {
    const { status, body } = await refresh(token, id, node);
    expect([status, body.expires_in]).toEqual([200, 900]);
    expect((await node.request('GET', '/auth/me', { token: body.access_token as string })).status).toBe(200);
    return body.refresh_token as string;
  };

  /** As if the latest refresh of the session had been so long ago. */
  const pass = async ({ sessionId }: TestUser, interval: string): Promise<void> => {
    const age = 'UPDATE sessions SET rotated_at = rotated_at - $2::interval WHERE id = $1 RETURNING id';
    expect(await app.sql(age, [sessionId, interval])).toHaveLength(1);
  };

  const expectEnded = async (user: TestUser, ...tokens: string[]): Promise<void> => {
    expectProblem(await user.get('/auth/me'), 401, 'unauthorized');
    for (const token of tokens) expectProblem(await refresh(token, 'one-more'), 401, 'unauthorized');
  };

  describe('with the same client_refresh_id', () => {
    it.each(['59 s', '61 s', '29 days'])('gets the same refresh token after %s', async (interval) => {
      const ada = await app.user();
      const second = await next(ada.refreshToken, 'once');
      await pass(ada, interval);
      expect(await next(ada.refreshToken, 'once')).toBe(second);
      expect(await next(ada.refreshToken, 'once')).toBe(second);
      expect(await next(second, 'twice')).not.toBe(second);
    });

    it('gets an access token that is good for its full time, when the lost one has run out', async () => {
      const ada = await app.user();
      const clock = app.nest.get(DatabaseClock);
      const second = await next(ada.refreshToken, 'once');
      const inAnHour = clock.now() + 3_600_000;
      clock.now = () => inAnHour;
      try {
        expectProblem(await ada.get('/auth/me'), 401, 'token_expired');
        expect(await next(ada.refreshToken, 'once')).toBe(second);
      } finally {
        Reflect.deleteProperty(clock, 'now');
      }
    });

    it('ends the session once the new refresh token has been used', async () => {
      const ada = await app.user();
      const second = await next(ada.refreshToken, 'once');
      const third = await next(second, 'twice');
      expectProblem(await refresh(ada.refreshToken, 'once'), 401, 'unauthorized');
      await expectEnded(ada, second, third);
    });

    it('gets the same refresh token from two nodes at once, the first time and long after', async () => {
      const ada = await app.user();
      const nodes = [app, node2, app, node2];
      const atOnce = () => Promise.all(nodes.map((node) => next(ada.refreshToken, 'once', node)));
      const [second, ...others] = await atOnce();
      expect(others).toEqual([second, second, second]);
      await pass(ada, '1 day');
      expect(await atOnce()).toEqual([second, second, second, second]);
      await next(second!, 'twice', node2);
    });

    it('gets the next refresh token for the next one, also when the client has one id for all', async () => {
      const ada = await app.user();
      const second = await next(ada.refreshToken, 'always');
      const third = await next(second, 'always');
      expect(new Set([ada.refreshToken, second, third]).size).toBe(3);
      await pass(ada, '1 day');
      expect(await next(second, 'always')).toBe(third);
      expectProblem(await refresh(ada.refreshToken, 'always'), 401, 'unauthorized');
    });

    it.each<[string, (phone: TestUser, other: TestUser) => Promise<unknown>]>([
      ['logout', (phone) => phone.post('/auth/logout')],
      ['its removal', (phone, other) => other.delete(`/auth/sessions/${phone.sessionId}`)],
      [
        'a new password',
        (_, other) => other.post('/auth/password', { current_password: PASSWORD, new_password: 'battery staple' }),
      ],
      ['the closing of the account', (phone) => phone.request('DELETE', '/users/me', { password: PASSWORD })],
      [
        'its expiry',
        (phone) => app.sql('UPDATE sessions SET expires_at = now() WHERE id = $1 RETURNING id', [phone.sessionId]),
      ],
    ])('gets nothing after the end of the session by %s', async (_, end) => {
      const phone = await app.user();
      const other = await app.login(phone);
      const second = await next(phone.refreshToken, 'once');
      await end(phone, other);
      for (const node of [app, node2]) {
        expectProblem(await refresh(phone.refreshToken, 'once', node), 401, 'unauthorized');
        expectProblem(await refresh(second, 'twice', node), 401, 'unauthorized');
      }
    });
  });

  describe.each<[string, string | undefined, string | undefined]>([
    ['without a client_refresh_id', undefined, undefined],
    ['without its client_refresh_id', 'once', undefined],
    ['with another client_refresh_id', 'once', 'another'],
    ['with a client_refresh_id that the first one did not have', undefined, 'once'],
  ])('%s', (_, first, again) => {
    it('gets the same refresh token for a minute, and then ends the session', async () => {
      const ada = await app.user();
      const second = await next(ada.refreshToken, first);
      await pass(ada, '55 s');
      expect(await next(ada.refreshToken, again)).toBe(second);
      await pass(ada, '5 s');
      expectProblem(await refresh(ada.refreshToken, again), 401, 'unauthorized');
      await expectEnded(ada, ada.refreshToken, second);
    });

    it('gets the same refresh token from two nodes at once', async () => {
      const ada = await app.user();
      const [one, other] = await Promise.all([next(ada.refreshToken, first), next(ada.refreshToken, again, node2)]);
      expect(one).toBe(other);
      await next(one, again);
    });
  });

  it.each([3_600_000, -3_600_000])('is judged by the clock of the database, not by one %d ms ahead', async (ms) => {
    const [ada, eve] = [await app.user(), await app.user()];
    const second = await next(ada.refreshToken);
    await next(eve.refreshToken);
    await pass(eve, '61 s');
    await withClockAhead(ms, async () => {
      expect(await next(ada.refreshToken)).toBe(second);
      expectProblem(await refresh(eve.refreshToken), 401, 'unauthorized');
    });
  });

  it.each([
    ['an empty text', ''],
    ['65 characters', 'x'.repeat(65)],
    ['a space', 'a b'],
    ['other letters than those of ASCII', 'ключ'],
    ['a number', 1],
    ['null', null],
  ])('must not have %s as its client_refresh_id', async (_, id) => {
    const ada = await app.user();
    expectProblem(await refresh(ada.refreshToken, id), 400, 'validation_failed', ['client_refresh_id']);
    await next(ada.refreshToken, 'x'.repeat(64));
  });

  it('leaves no client_refresh_id in the database, whose owner might be found by it', async () => {
    const ada = await app.user();
    await next(ada.refreshToken, 'phone-of-Ada');
    const [row] = await app.sql('SELECT sessions::text AS text, retry_hash FROM sessions WHERE id = $1', [
      ada.sessionId,
    ]);
    expect(row.retry_hash).toHaveLength(32);
    expect(row.text).not.toContain(Buffer.from('phone-of-Ada').toString('hex'));
    expect(row.text).not.toContain('phone-of-Ada');
  });

  /** What docs/security.md says of a copied refresh token. */
  describe('by a thief', () => {
    it('ends the session when the thief comes second', async () => {
      const ada = await app.user();
      const second = await next(ada.refreshToken, 'of-Ada');
      await pass(ada, '61 s');
      expectProblem(await refresh(ada.refreshToken, 'of-the-thief'), 401, 'unauthorized');
      await expectEnded(ada, second);
    });

    it('ends the session when the thief came first, as soon as the owner comes', async () => {
      const ada = await app.user();
      const stolen = await next(ada.refreshToken, 'of-the-thief');
      await pass(ada, '61 s');
      expectProblem(await refresh(ada.refreshToken, 'of-Ada'), 401, 'unauthorized');
      await expectEnded(ada, stolen);
    });

    it('is not found while the owner stays away', async () => {
      const ada = await app.user();
      let stolen = ada.refreshToken;
      for (const id of ['1', '2', '3']) {
        stolen = await next(stolen, id);
        await pass(ada, '1 day');
      }
    });

    it('is not found while both refresh within a minute of each other', async () => {
      const ada = await app.user();
      let token = ada.refreshToken;
      for (const round of [1, 2, 3]) {
        const second = await next(token, `Ada-${round}`);
        expect(await next(token, `thief-${round}`)).toBe(second);
        await pass(ada, '1 day');
        token = second;
      }
    });

    it('is not found with the id of the owner, until either of them uses the new token', async () => {
      const ada = await app.user();
      const second = await next(ada.refreshToken, 'once');
      await pass(ada, '1 day');
      expect(await next(ada.refreshToken, 'once')).toBe(second);
      await next(second, 'twice');
      expectProblem(await refresh(ada.refreshToken, 'once'), 401, 'unauthorized');
    });
  });
});
