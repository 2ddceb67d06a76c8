import { randomUUID } from 'node:crypto';
import { expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { CHEAP_HASHES, PASSWORD, TestApp } from './support/test-app.js';

const WRONG = 'wrong horse';
/** Wrong passwords allowed for one address and account, for one address, and for one account from all addresses. */
const [PAIR, ADDRESS, ACCOUNT] = [10, 100, 100];

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const newEmail = (): string => `${randomUUID()}@example.com`;

/** An address that no other test uses. */
let addresses = 0;
const newAddress = (): string => `10.1.${Math.floor((addresses += 1) / 250)}.${(addresses % 250) + 1}`;

describe('login throttle and rate limits', () => {
  let app: TestApp;
  beforeAll(
    async () => (app = await TestApp.start({ rateLimit: true, trustedProxies: ['loopback'] }, {}, CHEAP_HASHES)),
  );
  afterAll(() => app.close());

  const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
  const login = (email: string, password: string, address: string, node = app): Promise<Answer> =>
    node.request('POST', '/auth/login', { body: { email, password }, ...from(address) });

  /** A new account that has logged in from its home address. */
  const register = async (home = newAddress()): Promise<{ email: string; tokens: any; home: string }> => {
    const email = newEmail();
    const body = { name: 'Ada', email, password: PASSWORD };
    expect((await app.request('POST', '/auth/register', { body, ...from(home) })).status).toBe(201);
    return { email, tokens: (await login(email, PASSWORD, home)).body, home };
  };

  /** Sends that many wrong passwords, from each address no more than it may send. */
  const guess = async (email: string, times: number): Promise<void> => {
    for (let left = times; left > 0; left -= PAIR) {
      const address = newAddress();
      const answers = await Promise.all(oneTo(Math.min(left, PAIR)).map(() => login(email, WRONG, address)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
    }
  };

  const expectLimited = (answer: Answer, atMostSeconds: number): void => {
    expectProblem(answer, 429, 'rate_limited');
    const seconds = Number(answer.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(atMostSeconds);
  };

  describe('for passwords', () => {
    it('refuse an address after ten wrong ones, and not the owner at another address', async () => {
      const { email, home } = await register();
      const attacker = newAddress();
      for (let left = PAIR; left > 0; left -= 1) {
        expectProblem(await login(email, WRONG, attacker), 401, 'invalid_credentials');
      }
      expectLimited(await login(email, WRONG, attacker), 900);
      expectLimited(await login(email, PASSWORD, attacker), 900);
      expect((await login(email, PASSWORD, home)).status).toBe(200);
      expect((await login(email, PASSWORD, newAddress())).status).toBe(200);
    });

    it('allow no more attempts when they are sent at once', async () => {
      const { email } = await register();
      const attacker = newAddress();
      const answers = await Promise.all(oneTo(3 * PAIR).map(() => login(email, WRONG, attacker)));
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(PAIR);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(2 * PAIR);
    });

    it('apply to an unknown email as to a known one', async () => {
      const { email } = await register();
      const attacker = newAddress();
      const unknown = newEmail();
      for (let left = PAIR + 1; left > 0; left -= 1) {
        const [one, other] = [await login(email, WRONG, attacker), await login(unknown, WRONG, attacker)];
        expect([one.status, one.body.code, one.body.detail]).toEqual([
          other.status,
          other.body.code,
          other.body.detail,
        ]);
      }
      expectLimited(await login(unknown, WRONG, attacker), 900);
    });

    it('share no counter with another account, whatever is sent as an email', async () => {
      const { email, home, tokens } = await register();
      const { id } = (await app.request('GET', '/auth/me', { token: tokens.access_token })).body;
      const attacker = newAddress();
      for (const name of [`user:${id}`, `email:${email}`]) {
        for (let left = PAIR; left > 0; left -= 1) expect((await login(name, WRONG, attacker)).status).toBe(401);
        expectLimited(await login(name, WRONG, attacker), 900);
      }
      expect((await login(email, PASSWORD, attacker)).status).toBe(200);
      expect((await login(email, PASSWORD, home)).status).toBe(200);
    });

    it('count per account, whatever the case of the email', async () => {
      for (const email of [(await register()).email, newEmail()]) {
        const attacker = newAddress();
        for (const i of oneTo(PAIR)) await login(email.slice(0, i).toUpperCase() + email.slice(i), WRONG, attacker);
        expectLimited(await login(email, WRONG, attacker), 900);
      }
    });

    it('start again after a right password', async () => {
      const { email, home } = await register();
      for (let left = 2; left > 0; left -= 1) {
        for (let left = PAIR - 1; left > 0; left -= 1) expect((await login(email, WRONG, home)).status).toBe(401);
        expect((await login(email, PASSWORD, home)).status).toBe(200);
      }
    });

    it('allow a hundred wrong ones for an account from all addresses, and still accept the owner at home', async () => {
      const { email, home } = await register();
      await guess(email, ACCOUNT);
      expectLimited(await login(email, WRONG, newAddress()), 3_600);
      expectLimited(await login(email, PASSWORD, newAddress()), 3_600);
      for (let left = 3; left > 0; left -= 1) expect((await login(email, PASSWORD, home)).status).toBe(200);
      for (let left = PAIR; left > 0; left -= 1) expect((await login(email, WRONG, home)).status).toBe(401);
      expectLimited(await login(email, PASSWORD, home), 900);
    });

    it('allow a hundred attempts for an unknown email from all addresses, too', async () => {
      const email = newEmail();
      await guess(email, ACCOUNT);
      expectLimited(await login(email, WRONG, newAddress()), 3_600);
    });

    it('allow a hundred wrong ones from one network for all accounts; sessions there continue', async () => {
      const { email, tokens } = await register();
      const network = '2001:db8:1:2';
      for (const i of oneTo(ADDRESS)) {
        const answer = await login(newEmail(), WRONG, `${network}::${i.toString(16)}`);
        expect(answer.status).toBe(401);
      }
      const there = from(`${network}:a:b:c:d`);
      const refused = await login(email, PASSWORD, `${network}:a:b:c:d`);
      expectLimited(refused, 3_600);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(900);
      expect((await login(email, PASSWORD, '2001:db8:1:3::1')).status).toBe(200);
      const body = { refresh_token: tokens.refresh_token };
      expect((await app.request('POST', '/auth/refresh', { body, ...there })).status).toBe(200);
      expect((await app.request('GET', '/auth/me', { token: tokens.access_token, ...there })).status).toBe(200);
    });

    it('allow ten wrong current passwords in a session', async () => {
      const { email, home, tokens } = await register();
      const { body: other } = await login(email, PASSWORD, home);
      const change = (token: string, current_password: string): Promise<Answer> =>
        app.request('POST', '/auth/password', { token, body: { current_password, new_password: 'battery staple' } });
      for (let left = PAIR; left > 0; left -= 1) {
        expectProblem(await change(tokens.access_token, WRONG), 400, 'validation_failed', ['current_password']);
      }
      expectLimited(await change(tokens.access_token, PASSWORD), 900);
      expect((await change(other.access_token, PASSWORD)).status).toBe(204);
    });
  });

  describe('for routes', () => {
    const limitOf = ({ headers }: Answer): (number | null)[] =>
      ['limit', 'remaining'].map((name) => {
        const text = headers.get(`x-ratelimit-${name}`);
        return text === null ? null : Number(text);
      });

    it('apply to one route or to all, per user or per address, and are announced in headers', async () => {
      const { tokens } = await register();
      const { access_token: token } = tokens;
      const stranger = from(newAddress());
      const ask = (method: string, path: string, options: object): Promise<Answer> =>
        app.request(method, path, { token, ...options });
      const limits = [
        await app.request('POST', '/login', { body: {}, ...stranger }),
        await app.request('POST', '/auth/login', { body: {}, ...stranger }),
        await app.request('POST', '/register', { body: {}, ...stranger }),
        await app.request('POST', '/auth/refresh', { body: {}, ...stranger }),
        await ask('POST', '/messages', { body: {} }),
        await ask('PATCH', '/users/me', { body: {} }),
        await ask('GET', '/auth/me', from(newAddress())),
        await ask('GET', '/chats', from(newAddress())),
        await ask('GET', '/users/0', {}),
      ].map(limitOf);
      expect(limits).toEqual([
        [120, 119],
        [120, 118],
        [60, 59],
        [600, 599],
        [1_200, 1_199],
        [20, 19],
        [1_200, 1_199],
        [1_200, 1_198],
        [1_200, 1_197],
      ]);
      expect(limitOf(await app.request('GET', '/health/live'))).toEqual([null, null]);
      expect(limitOf(await app.request('GET', '/metrics'))).toEqual([null, null]);
    });

    it('answer rate_limited beyond the limit, to this caller only', async () => {
      const address = newAddress();
      const attempt = (headers: object): Promise<Answer> => app.request('POST', '/register', { body: {}, ...headers });
      const answers = await Promise.all(oneTo(60).map(() => attempt(from(address))));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 400));
      const refused = await attempt(from(address));
      expectLimited(refused, 3_600);
      expect(limitOf(refused)).toEqual([60, 0]);
      expect(refused.headers.get('x-ratelimit-reset')).toBe(refused.headers.get('retry-after'));
      expect((await attempt(from(newAddress()))).status).toBe(400);
    });

    it('count users with the same address separately', async () => {
      const street = newAddress();
      const [ada, bob] = [await register(street), await register(street)];
      const me = (token: string): Promise<Answer> => app.request('GET', '/auth/me', { token, ...from(street) });
      expect(limitOf(await me(ada.tokens.access_token as string))).toEqual([1_200, 1_199]);
      expect(limitOf(await me(ada.tokens.access_token as string))).toEqual([1_200, 1_198]);
      expect(limitOf(await me(bob.tokens.access_token as string))).toEqual([1_200, 1_199]);
    });

    it('count refreshes per session, and allow more than a client needs', async () => {
      const { email, tokens, home } = await register();
      const refresh = (refresh_token: string): Promise<Answer> =>
        app.request('POST', '/auth/refresh', { body: { refresh_token }, ...from(newAddress()) });
      const answers = await Promise.all(oneTo(31).map(() => refresh(tokens.refresh_token as string)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(30);
      expectLimited(
        answers.find(({ status }) => status === 429)!,
        60,
      );
      const { body: other } = await login(email, PASSWORD, home);
      expect((await refresh(other.refresh_token as string)).status).toBe(200);
    });
  });

  describe('for an address', () => {
    it('ignore a forwarding header unless a trusted proxy sent it', async () => {
      const open = await TestApp.start({ rateLimit: true });
      try {
        const ada = await open.user();
        const tries = oneTo(PAIR).map(() => login(ada.email, WRONG, newAddress(), open));
        for (const { status } of await Promise.all(tries)) expect(status).toBe(401);
        expectLimited(await login(ada.email, PASSWORD, newAddress(), open), 900);
        expect((await ada.get('/auth/sessions')).body[0].address).toBe('127.0.0.1');
      } finally {
        await open.close();
      }
    });

    it('use the last address that is no proxy, and ignore what a client put before it', async () => {
      const { email } = await register();
      const attacker = newAddress();
      for (let left = PAIR; left > 0; left -= 1) {
        expect((await login(email, WRONG, `${newAddress()}, ${attacker}`)).status).toBe(401);
      }
      expectLimited(await login(email, PASSWORD, `${newAddress()}, ${attacker}`), 900);
      const { body } = await login(email, PASSWORD, `${attacker}, 203.0.113.9`);
      const sessions = await app.request('GET', '/auth/sessions', { token: body.access_token });
      expect(sessions.body[0].address).toBe('203.0.113.9');
    });

    it.each([
      ['198.51.100.7', ['198.51.100.7:4711', '::ffff:198.51.100.7', '[::FFFF:C633:6407]:4711', ' 198.51.100.7 ']],
      ['2001:db8:5::7', ['2001:DB8:5:0::7', '[2001:db8:5::7]', '[2001:db8:5:0:0:0:0:7]:4711', '2001:db8:5::7%eth0']],
      // The proxy's own: what it sends names no address.
      ['127.0.0.1', ['unknown', '198.51.100', '203.0.113.9, user:1', 'x'.repeat(300)]],
    ])('take every form of %s for the one address, in limits and sessions', async (address, forms) => {
      const { email } = await register();
      for (const i of oneTo(PAIR)) {
        expect((await login(email, WRONG, forms[i % forms.length]!)).status).toBe(401);
      }
      for (const form of [address, ...forms]) expectLimited(await login(email, PASSWORD, form), 900);
      const { email: other } = await register();
      const { body } = await login(other, PASSWORD, forms[0]!);
      const sessions = await app.request('GET', '/auth/sessions', { token: body.access_token });
      expect(sessions.body[0].address).toBe(address);
    });
  });
});
