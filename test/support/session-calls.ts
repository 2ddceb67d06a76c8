import { expectProblem } from './expect-problem.js';
import type { Answer } from './http.js';
import { PASSWORD, type TestApp, type TestUser } from './test-app.js';

/** Requests and expectations that the specs about sessions share. */
export function sessionCalls(app: () => TestApp) {
  const refresh = (token: unknown, userAgent = 'a phone'): Promise<Answer> =>
    app().request('POST', '/auth/refresh', { body: { refresh_token: token }, headers: { 'User-Agent': userAgent } });
  const login = ({ email }: TestUser, userAgent: string, password = PASSWORD): Promise<Answer> =>
    app().request('POST', '/auth/login', { body: { email, password }, headers: { 'User-Agent': userAgent } });
  const me = (token: string): Promise<Answer> => app().request('GET', '/auth/me', { token });
  const sessionsOf = async (user: TestUser) => (await user.get('/auth/sessions')).body;

  const expectActive = async (user: TestUser): Promise<void> => expect((await me(user.token)).status).toBe(200);
  const expectEnded = async (user: TestUser): Promise<void> => {
    const answer = await me(user.token);
    expectProblem(answer, 401, 'unauthorized');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer\b/);
    expectProblem(await refresh(user.refreshToken), 401, 'unauthorized');
  };

  return { refresh, login, me, sessionsOf, expectAlive: expectActive, expectEnded };
}
