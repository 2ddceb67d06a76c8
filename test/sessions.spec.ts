import { randomUUID } from 'node:crypto';
import { SessionsService } from '../src/auth/sessions.service.js';
import { expectSameAnswer, expectProblem } from './support/expect-problem.js';
import { onDatabase, waitingForLock } from './support/database.js';
import type { Answer } from './support/http.js';
import { sessionCalls } from './support/session-calls.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe('sessions', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  const { refresh, login, me, sessionsOf, expectAlive, expectEnded } = sessionCalls(() => app);

  describe('GET /auth/sessions', () => {
    it('lists the devices of the user, latest use first', async () => {
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
      ['keeps what is not ASCII', Buffer.from('café Телефон').toString('latin1'), 'café Телефон'],
    ])('%s', async (_, sent, shown) => {
      const ada = await app.user();
      expect((await login(ada, sent)).status).toBe(200);
      expect((await sessionsOf(ada))[0].user_agent).toBe(shown);
    });

    it('lists up to a hundred: one more login ends the least recently used session', async () => {
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

  describe('end of a session', () => {
    it('happens at logout, for this session only', async () => {
      const ada = await app.user();
      const tablet = await app.login(ada);
      const { status, body } = await ada.post('/auth/logout');
      expect([status, body]).toEqual([204, '']);
      await expectEnded(ada);
      await expectAlive(tablet);
      expect(await sessionsOf(tablet)).toHaveLength(1);
    });

    it('succeeds for parallel logouts', async () => {
      const ada = await app.user();
      const answers = await Promise.all(Array.from({ length: 5 }, () => ada.post('/auth/logout')));
      for (const { status } of answers) expect([204, 401]).toContain(status);
      await expectEnded(ada);
    });

    it('is possible from another session, once', async () => {
      const ada = await app.user();
      const tablet = await app.login(ada);
      expect((await ada.delete(`/auth/sessions/${tablet.sessionId.toUpperCase()}`)).status).toBe(204);
      await expectEnded(tablet);
      await expectAlive(ada);
      expectProblem(await ada.delete(`/auth/sessions/${tablet.sessionId}`), 404, 'not_found');
    });

    it("is possible for the caller's own session by its id", async () => {
      const ada = await app.user();
      expect((await ada.delete(`/auth/sessions/${ada.sessionId}`)).status).toBe(204);
      await expectEnded(ada);
    });

    it('answers a foreign session like an absent one', async () => {
      const [ada, eve] = [await app.user(), await app.user()];
      const foreign = await eve.delete(`/auth/sessions/${ada.sessionId}`);
      expectProblem(foreign, 404, 'not_found');
      expectSameAnswer(foreign, await eve.delete(`/auth/sessions/${randomUUID()}`));
      await expectAlive(ada);
    });

    it.each(['1', 'x', '7c0b3f5e-52a4-8d1c-9b7e-2f4a6c8e0d1', '%00', '{7c0b3f5e-52a4-8d1c-9b7e-2f4a6c8e0d13}'])(
      'refuses the id %s',
      async (id) => {
        const ada = await app.user();
        expectProblem(await ada.delete(`/auth/sessions/${id}`), 400, 'validation_failed', ['id']);
      },
    );

    it('is possible for all other sessions at once', async () => {
      const [ada, eve] = [await app.user(), await app.user()];
      const others = [await app.login(ada), await app.login(ada)];
      expect((await ada.delete('/auth/sessions')).status).toBe(204);
      for (const other of others) await expectEnded(other);
      await expectAlive(ada);
      await expectAlive(eve);
      expect((await ada.delete('/auth/sessions')).status).toBe(204);
    });

    it('does not deadlock when devices end each other at once', async () => {
      const ada = await app.user();
      const devices = await Promise.all(Array.from({ length: 8 }, () => app.login(ada)));
      const answers = await Promise.all(devices.map((device) => device.delete('/auth/sessions')));
      for (const { status } of answers) expect([204, 401]).toContain(status);
      await expectEnded(ada);
    });
  });

  describe('password change', () => {
    const NEW = 'battery staple';
    const change = (user: TestUser, current_password: unknown, new_password: unknown): Promise<Answer> =>
      user.post('/auth/password', { current_password, new_password });

    it('takes effect at the next login, and ends all other sessions', async () => {
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

    it('needs the current password', async () => {
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
    ])('refuses %s', async (_, current, next, fields) => {
      const ada = await app.user();
      expectProblem(await change(ada, current, next), 400, 'validation_failed', fields);
      expect((await login(ada, 'x')).status).toBe(200);
    });

    it('keeps one of two simultaneous new passwords', async () => {
      const ada = await app.user();
      const tablet = await app.login(ada);
      const answers = await Promise.all([change(ada, PASSWORD, NEW), change(tablet, PASSWORD, `${NEW} 2`)]);
      const [won, lost] = answers[0].status === 204 ? [0, 1] : [1, 0];
      expect([answers[won]!.status, answers[lost]!.status]).toEqual([204, expect.any(Number)]);
      expect([400, 401]).toContain(answers[lost]!.status);
      expect((await login(ada, 'x', [NEW, `${NEW} 2`][won])).status).toBe(200);
      expect((await login(ada, 'x', [NEW, `${NEW} 2`][lost])).status).toBe(401);
    });

    it('ends a session that a login is opening with the old password', async () => {
      const ada = await app.user();
      await app.sql(`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN new; END $$`);
      await app.sql('CREATE TRIGGER hold BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION hold()');
      const [opened, changed] = await onDatabase(app.databaseUrl, async (client) => {
        await client.query('SELECT pg_advisory_lock(1)');
        const opening = login(ada, 'x');
        await waitingForLock(client);
        const changing = change(ada, PASSWORD, NEW);
        await Promise.race([changing, waitingForLock(client, 2)]);
        return [opening, changing];
      });
      const { status, body } = await opened;
      expect([status, (await changed).status]).toEqual([200, 204]);
      await app.sql('DROP TRIGGER hold ON sessions');
      expectProblem(await me(body.access_token as string), 401, 'unauthorized');
    });

    it('leaves no session that a racing login opened with the old password', async () => {
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
