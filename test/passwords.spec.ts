import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { hash } from '@node-rs/argon2';
import { expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

const NEW = 'battery staple';
const CURRENT = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;

describe('passwords', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  const login = (email: string, password = PASSWORD): Promise<Answer> =>
    app.request('POST', '/auth/login', { body: { email, password } });
  const register = (password: string, email = `${randomUUID()}@example.com`): Promise<Answer> =>
    app.request('POST', '/auth/register', { body: { name: 'Ada', email, password } });
  const change = (user: TestUser, current_password: string, new_password: string): Promise<Answer> =>
    user.post('/auth/password', { current_password, new_password });

  describe('that are common', () => {
    it.each(['12345678', 'password1', 'PassWord1', 'qwertyuiop', '1qaz2wsx', 'baseball1'])(
      'are refused: %s',
      async (password) => {
        expectProblem(await register(password), 400, 'validation_failed', ['password']);
        const ada = await app.user();
        expectProblem(await change(ada, PASSWORD, password), 400, 'validation_failed', ['new_password']);
        expect((await login(ada.email)).status).toBe(200);
      },
    );

    it('still work for users who already have one', async () => {
      const ada = await app.user();
      const [row] = await app.sql('UPDATE users SET password_hash = $1 WHERE id = $2 RETURNING id', [
        await hash('12345678'),
        ada.id,
      ]);
      expect(Number(row.id)).toBe(ada.id);
      expect((await login(ada.email, '12345678')).status).toBe(200);
      expect((await change(ada, '12345678', NEW)).status).toBe(204);
    });
  });

  describe('typed in another way', () => {
    const typed = 'Zoe\u0308\u00a0Ko\u0301w 42';
    const same = 'Zoë Ków 42';

    it('are the same password with other spaces and accents, wherever one is asked for', async () => {
      const email = `${randomUUID()}@example.com`;
      expect((await register(typed, email)).status).toBe(201);
      for (const password of [typed, same, 'Zoë\u3000Ków 42']) expect((await login(email, password)).status).toBe(200);
      for (const password of ['zoë ków 42', 'Zoe Kow 42', `${same} `]) {
        expectProblem(await login(email, password), 401, 'invalid_credentials');
      }
      const { access_token: token } = (await login(email, same)).body;
      const body = { current_password: same.normalize('NFD'), new_password: `new ${typed}` };
      expect((await app.request('POST', '/auth/password', { token, body })).status).toBe(204);
      expect((await login(email, `new ${same}`)).status).toBe(200);
      const closing = { token, body: { password: `new ${same.normalize('NFD')}` } };
      expect((await app.request('DELETE', '/users/me', closing)).status).toBe(204);
    });

    it('count their characters after that', async () => {
      expectProblem(await register('e\u0301'.repeat(7)), 400, 'validation_failed', ['password']);
      expect((await register('e\u0301'.repeat(128))).status).toBe(201);
      expect((await register('❤️👩‍👩‍👧 heart')).status).toBe(201);
    });

    it.each(['tab\there', 'line\nbreak', 'delete\u007f', 'next line\u0085'])(
      'are refused with a control character: %j',
      async (password) => {
        expectProblem(await register(password), 400, 'validation_failed', ['password']);
        const ada = await app.user();
        expectProblem(await change(ada, PASSWORD, password), 400, 'validation_failed', ['new_password']);
      },
    );
  });

  describe('hashed with other parameters', () => {
    const hashOf = async ({ id }: TestUser): Promise<string> =>
      (await app.sql<{ hash: string }>('SELECT password_hash AS hash FROM users WHERE id = $1', [id]))[0]!.hash;

    const userWithWeakHash = async (): Promise<TestUser> => {
      const user = await app.user();
      const weak = await hash(PASSWORD, { memoryCost: 4_096, timeCost: 1, parallelism: 1 });
      await app.sql('UPDATE users SET password_hash = $1 WHERE id = $2', [weak, user.id]);
      return user;
    };

    it('get a new hash at the first login with the right password, and at no other login', async () => {
      const ada = await userWithWeakHash();
      const weak = await hashOf(ada);
      expectProblem(await login(ada.email, NEW), 401, 'invalid_credentials');
      expect(await hashOf(ada)).toBe(weak);
      expect((await login(ada.email)).status).toBe(200);
      const renewed = await hashOf(ada);
      expect(renewed).toMatch(CURRENT);
      expect((await login(ada.email)).status).toBe(200);
      expect(await hashOf(ada)).toBe(renewed);
    });

    it('work for simultaneous logins', async () => {
      const ada = await userWithWeakHash();
      const answers = await Promise.all(Array.from({ length: 16 }, () => login(ada.email)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(await hashOf(ada)).toMatch(CURRENT);
    });

    it('can be changed while they are hashed anew', async () => {
      const ada = await userWithWeakHash();
      const [entered, changed] = await Promise.all([login(ada.email), change(ada, PASSWORD, NEW)]);
      expect(changed.status).toBe(204);
      expect([200, 401]).toContain(entered.status);
      expect((await login(ada.email, NEW)).status).toBe(200);
      expectProblem(await login(ada.email), 401, 'invalid_credentials');
    });
  });

  it('are checked a few at a time; logins that would wait too long are refused as retryable', async () => {
    const ada = await app.user();
    const chat = await ada.group();
    const device = await ada.device();
    const room = 65 * Math.max(1, Math.floor(availableParallelism() / 2));
    const storm = Promise.all(Array.from({ length: room + 40 }, (_, i) => login(`${i}@example.com`)));
    const send = { chat_id: chat.id, text: 'through the storm', client_message_id: 'storm' };
    expect(await device.command('message:send', send)).toMatchObject({ ok: true });
    const answers = await storm;
    const refused = answers.filter(({ status }) => status !== 401);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(40);
    for (const answer of refused) {
      expectProblem(answer, 503, 'overloaded');
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    expect((await login(ada.email)).status).toBe(200);
  });
});
