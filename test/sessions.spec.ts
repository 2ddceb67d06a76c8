import { randomBytes, randomUUID } from 'node:crypto';
import { SessionsService } from '../src/auth/sessions.service.js';
import { expectAlike, expectProblem } from './support/expect-problem.js';
import { onDatabase } from './support/database.js';
import type { Answer } from './support/http.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const TOKEN = /^[\w-]{64}$/;

describe('sessions', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  const refresh = (token: unknown, userAgent = 'a phone'): Promise<Answer> =>
    app.request('POST', '/auth/refresh', { body: { refresh_token: token }, headers: { 'User-Agent': userAgent } });
  const login = ({ email }: TestUser, userAgent: string, password = PASSWORD): Promise<Answer> =>
    app.request('POST', '/auth/login', { body: { email, password }, headers: { 'User-Agent': userAgent } });
  const me = (token: string): Promise<Answer> => app.request('GET', '/auth/me', { token });
  const sessionsOf = async (user: TestUser) => (await user.get('/auth/sessions')).body;

  const expectAlive = async (user: TestUser): Promise<void> => expect((await me(user.token)).status).toBe(200);
  const expectEnded = async (user: TestUser): Promise<void> => {
    const answer = await me(user.token);
    expectProblem(answer, 401, 'unauthorized');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer\b/);
    expectProblem(await refresh(user.refreshToken), 401, 'unauthorized');
  };

  describe('refresh', () => {
    it('gives new tokens of the same session', async () => {
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

    it('takes the old token, with the same result, until the new one is used', async () => {
      const ada = await app.user();
      const lost = await refresh(ada.refreshToken);
      const again = await refresh(ada.refreshToken);
      expect([lost.status, again.status]).toEqual([200, 200]);
      expect(again.body.refresh_token).toBe(lost.body.refresh_token);
      expect((await refresh(again.body.refresh_token)).status).toBe(200);
      await expectAlive(ada);
    });

    it('gives parallel calls with one token the same, usable token', async () => {
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

    it('takes no token that has run out; a later login clears its session away', async () => {
      const ada = await app.user();
      const tablet = await app.login(ada);
      const age = `UPDATE sessions SET expires_at = now() WHERE id = $1 RETURNING id`;
      expect(await app.sql(age, [tablet.sessionId])).toHaveLength(1);
      expectProblem(await refresh(tablet.refreshToken), 401, 'unauthorized');
      expect(await sessionsOf(ada)).toHaveLength(1);
      await app.login(ada);
      expect(await app.sql('SELECT id FROM sessions WHERE id = $1', [tablet.sessionId])).toEqual([]);
    });

    it('makes the session live on for another 30 days', async () => {
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

    it('leaves nothing in the database that could be used as a token', async () => {
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

    it('gives no access token that is younger than the end of the session', async () => {
      const ada = await app.user();
      const answers = await Promise.all([
        refresh(ada.refreshToken),
        ada.post('/auth/logout'),
        refresh(ada.refreshToken),
      ]);
      for (const { status, body } of answers) {
        if (status === 200) expectProblem(await me(body.access_token as string), 401, 'unauthorized');
      }
      await expectEnded(ada);
    });
  });

  describe('the list', () => {
    it('tells the devices of the user apart, latest use first', async () => {
      const ada = await app.user();
      const { body: laptop } = await login(ada, 'a laptop');
      await login(ada, 'a tablet');
      await refresh(laptop.refresh_token, 'a laptop, updated');
      const list = await sessionsOf(ada);
      expect(list.map((session: any) => [session.user_agent, session.current])).toEqual([
        ['a laptop, updated', false],
        ['a tablet', false],
        [expect.any(String), true],
      ]);
      for (const session of list) {
        expect(session).toEqual({
          id: expect.stringMatching(UUID),
          user_agent: expect.any(String),
          address: '127.0.0.1',
          created_at: expect.stringMatching(TIME),
          last_used_at: expect.stringMatching(TIME),
          current: expect.any(Boolean),
        });
      }
      expect(list[2].id).toBe(ada.sessionId);
      expect(list[0].last_used_at > list[0].created_at).toBe(true);
      expect(list[1].last_used_at).toBe(list[1].created_at);
    });

    it.each<[string, string, string | null]>([
      ['cuts a long user agent', 'x'.repeat(5_000), 'x'.repeat(200)],
      ['shows none', '', null],
      ['keeps what is not ASCII', 'caf\u00e9 \u0085\u00ff', 'caf\u00e9 \u0085\u00ff'],
    ])('%s', async (_, sent, shown) => {
      const ada = await app.user();
      expect((await login(ada, sent)).status).toBe(200);
      expect((await sessionsOf(ada))[0].user_agent).toBe(shown);
    });

    it('holds a hundred: one more login ends the one that is longest out of use', async () => {
      const ada = await app.user();
      const service = app.nest.get(SessionsService);
      for (let opened = 0; opened < 99; opened += 1) {
        await service.open(ada.id, { userAgent: `device ${opened}`, address: '127.0.0.1' });
      }
      expect(await sessionsOf(ada)).toHaveLength(100);
      await refresh(ada.refreshToken);
      const one = await app.login(ada);
      const list = await sessionsOf(one);
      expect(list).toHaveLength(100);
      const devices = list.map((session: any) => session.user_agent);
      expect(devices).toContain('device 1');
      expect(devices).not.toContain('device 0');
      await expectAlive(ada);
    });
  });

  describe('ending', () => {
    it('logout ends this session and no other', async () => {
      const ada = await app.user();
      const tablet = await app.login(ada);
      const { status, body } = await ada.post('/auth/logout');
      expect([status, body]).toEqual([204, '']);
      await expectEnded(ada);
      await expectAlive(tablet);
      expect(await sessionsOf(tablet)).toHaveLength(1);
    });

    it('parallel logouts are all well', async () => {
      const ada = await app.user();
      const answers = await Promise.all(Array.from({ length: 5 }, () => ada.post('/auth/logout')));
      for (const { status } of answers) expect([204, 401]).toContain(status);
      await expectEnded(ada);
    });

    it('one can be ended from another, once', async () => {
      const ada = await app.user();
      const tablet = await app.login(ada);
      expect((await ada.delete(`/auth/sessions/${tablet.sessionId.toUpperCase()}`)).status).toBe(204);
      await expectEnded(tablet);
      await expectAlive(ada);
      expectProblem(await ada.delete(`/auth/sessions/${tablet.sessionId}`), 404, 'not_found');
    });

    it("one's own can be ended like any", async () => {
      const ada = await app.user();
      expect((await ada.delete(`/auth/sessions/${ada.sessionId}`)).status).toBe(204);
      await expectEnded(ada);
    });

    it('a foreign session is as absent as none', async () => {
      const [ada, eve] = [await app.user(), await app.user()];
      const foreign = await eve.delete(`/auth/sessions/${ada.sessionId}`);
      expectProblem(foreign, 404, 'not_found');
      expectAlike(foreign, await eve.delete(`/auth/sessions/${randomUUID()}`));
      await expectAlive(ada);
    });

    it.each(['1', 'x', '7c0b3f5e-52a4-8d1c-9b7e-2f4a6c8e0d1', '%00', '{7c0b3f5e-52a4-8d1c-9b7e-2f4a6c8e0d13}'])(
      'refuses the id %s',
      async (id) => {
        const ada = await app.user();
        expectProblem(await ada.delete(`/auth/sessions/${id}`), 400, 'validation_failed', ['id']);
      },
    );

    it('all others can be ended at once', async () => {
      const [ada, eve] = [await app.user(), await app.user()];
      const others = [await app.login(ada), await app.login(ada)];
      expect((await ada.delete('/auth/sessions')).status).toBe(204);
      for (const other of others) await expectEnded(other);
      await expectAlive(ada);
      await expectAlive(eve);
      expect((await ada.delete('/auth/sessions')).status).toBe(204);
    });

    it('devices that end each other at once do not block each other', async () => {
      const ada = await app.user();
      const devices = await Promise.all(Array.from({ length: 8 }, () => app.login(ada)));
      const answers = await Promise.all(devices.map((device) => device.delete('/auth/sessions')));
      for (const { status } of answers) expect([204, 401]).toContain(status);
      await expectEnded(ada);
    });
  });

  describe('a new password', () => {
    const NEW = 'battery staple';
    const change = (user: TestUser, current_password: unknown, new_password: unknown): Promise<Answer> =>
      user.post('/auth/password', { current_password, new_password });

    it('counts at the next login, and ends all other sessions', async () => {
      const ada = await app.user();
      const tablet = await app.login(ada);
      const { status, body } = await change(ada, PASSWORD, NEW);
      expect([status, body]).toEqual([204, '']);
      await expectAlive(ada);
      await expectEnded(tablet);
      expectProblem(await login(ada, 'x'), 401, 'invalid_credentials');
      expect((await login(ada, 'x', NEW)).status).toBe(200);
      expect((await refresh(ada.refreshToken)).status).toBe(200);
    });

    it('needs the current one', async () => {
      const ada = await app.user();
      const tablet = await app.login(ada);
      expectProblem(await change(ada, NEW, NEW), 400, 'validation_failed', ['current_password']);
      await expectAlive(tablet);
      expect((await login(ada, 'x')).status).toBe(200);
    });

    it.each<[string, unknown, unknown, string[]]>([
      ['nothing', undefined, undefined, ['current_password', 'new_password']],
      ['a password of 7 characters', PASSWORD, 'x'.repeat(7), ['new_password']],
      ['a password of 129 characters', PASSWORD, 'x'.repeat(129), ['new_password']],
      ['a number', 12345678, 12345678, ['current_password', 'new_password']],
    ])('is not %s', async (_, current, next, fields) => {
      const ada = await app.user();
      expectProblem(await change(ada, current, next), 400, 'validation_failed', fields);
      expect((await login(ada, 'x')).status).toBe(200);
    });

    it('of two at once is one of them', async () => {
      const ada = await app.user();
      const tablet = await app.login(ada);
      const answers = await Promise.all([change(ada, PASSWORD, NEW), change(tablet, PASSWORD, `${NEW} 2`)]);
      const [won, lost] = answers[0].status === 204 ? [0, 1] : [1, 0];
      expect([answers[won]!.status, answers[lost]!.status]).toEqual([204, expect.any(Number)]);
      expect([400, 401]).toContain(answers[lost]!.status);
      expect((await login(ada, 'x', [NEW, `${NEW} 2`][won])).status).toBe(200);
      expect((await login(ada, 'x', [NEW, `${NEW} 2`][lost])).status).toBe(401);
    });

    it('ends a session that a login is just opening with the old one', async () => {
      const ada = await app.user();
      await app.sql(`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN new; END $$`);
      await app.sql('CREATE TRIGGER hold BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION hold()');
      const [opened, changed] = await onDatabase(app.databaseUrl, async (client) => {
        const waiting = async (count: number): Promise<void> => {
          const query = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
          while (((await client.query(query)).rowCount ?? 0) < count);
        };
        await client.query('SELECT pg_advisory_lock(1)');
        const opening = login(ada, 'x');
        await waiting(1);
        const changing = change(ada, PASSWORD, NEW);
        await Promise.race([changing, waiting(2)]);
        return [opening, changing];
      });
      const { status, body } = await opened;
      expect([status, (await changed).status]).toEqual([200, 204]);
      await app.sql('DROP TRIGGER hold ON sessions');
      expectProblem(await me(body.access_token as string), 401, 'unauthorized');
    });

    it('leaves no session that a racing login opened with the old one', async () => {
      for (let round = 0; round < 3; round += 1) {
        const ada = await app.user();
        const logins = Array.from({ length: 6 }, () => login(ada, 'x'));
        const [changed, ...opened] = await Promise.all([change(ada, PASSWORD, NEW), ...logins]);
        expect(changed.status).toBe(204);
        for (const { status, body } of opened) {
          if (status === 200) expectProblem(await me(body.access_token as string), 401, 'unauthorized');
          else expect([status, body.code]).toEqual([401, 'invalid_credentials']);
        }
        await expectAlive(ada);
        expect(await sessionsOf(ada)).toHaveLength(1);
      }
    });
  });
});
