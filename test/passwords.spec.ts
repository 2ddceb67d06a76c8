import { randomUUID } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

const NEW = 'battery staple';

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

  describe('that everybody has', () => {
    it.each(['12345678', 'password1', 'PassWord1', 'qwertyuiop', '1qaz2wsx', 'baseball1'])(
      'are refused: %s',
      async (password) => {
        expectProblem(await register(password), 400, 'validation_failed', ['password']);
        const ada = await app.user();
        expectProblem(await change(ada, PASSWORD, password), 400, 'validation_failed', ['new_password']);
        expect((await login(ada.email)).status).toBe(200);
      },
    );

    it('are no reason to lock anybody out who has one', async () => {
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
});
