import { randomUUID } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { expectSameAnswer, expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { PASSWORD, TestApp } from './support/test-app.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** What a generated client sends for the fields of a form that nobody has filled in. */
const EMPTY = {
  username: '',
  email: '',
  grant_type: '',
  scope: '',
  client_id: '',
  client_secret: '',
  refresh_token: '',
};
const newEmail = (): string => `${randomUUID()}@example.com`;
const account = (changes: object = {}) => ({ name: 'Ada', email: newEmail(), password: PASSWORD, ...changes });

/** The header and the payload of a JWT. */
const decode = (token: string): any[] =>
  token.split('.', 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));

describe('authentication', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  const register = (body: unknown, path = '/auth/register'): Promise<Answer> => app.request('POST', path, { body });
  const login = (body: unknown, path = '/auth/login'): Promise<Answer> => app.request('POST', path, { body });
  const me = (token?: string): Promise<Answer> => app.request('GET', '/auth/me', { token });

  describe('registration', () => {
    it.each(['/auth/register', '/register'])('creates an account at %s', async (path) => {
      const body = account({ name: 'Ада 🧮 Lovelace' });
      const answer = await register(body, path);
      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        id: expect.any(Number),
        name: body.name,
        email: body.email,
        addable_by: 'everybody',
        created_at: expect.stringMatching(TIME),
      });
      const { body: tokens } = await login({ username: body.email, password: PASSWORD });
      expect((await me(tokens.access_token as string)).body).toEqual(answer.body);
    });

    it.each([
      ['ada', 'ADA'],
      ['жанна', 'Жанна'],
    ])('treats the email of %s as the same address in any case', async (lower, other) => {
      const domain = `${randomUUID()}.example.com`;
      const { body: first } = await register(account({ email: `${lower}@${domain}` }));
      for (const path of ['/auth/register', '/register']) {
        const again = await app.request('POST', path, { body: account({ email: `${other}@${domain}` }) });
        expectProblem(again, 409, 'email_taken');
      }
      const { status, body } = await login({ username: `${other}@${domain.toUpperCase()}`, password: PASSWORD });
      expect(status).toBe(200);
      expect(decode(body.access_token as string)[1].sub).toBe(String(first.id));
    });

    it.each<[string, (local: string, domain: string) => string]>([
      ['white space around it', (local, domain) => ` \t${local}@${domain}\u00a0\n`],
      ['its accents typed apart', (local, domain) => `${local}@${domain}`.normalize('NFD')],
      ['its domain in capitals', (local, domain) => `${local}@${domain.toUpperCase()}`],
      ['its domain in Punycode', (local, domain) => `${local}@${domainToASCII(domain)}`],
      ['the full stops of China', (local, domain) => `${local}@${domain.replaceAll('.', '。')}`],
    ])('treats an email as the same with %s', async (_, variant) => {
      const [local, domain] = ['zoë', `bücher-${randomUUID()}.example.com`];
      const email = `${local}@${domain}`;
      const { body: first } = await register(account({ email: variant(local, domain) }));
      expect(first.email).toBe(email);
      for (const other of [email, variant(local, domain), variant(local.toUpperCase(), domain)]) {
        expectProblem(await register(account({ email: other })), 409, 'email_taken');
        const { body } = await login({ username: other, password: PASSWORD });
        const token = body.access_token as string;
        expect((await me(token)).body).toEqual(first);
        const found = await app.request('GET', `/users?query=${encodeURIComponent(other)}`, { token });
        expect(found.body.map(({ id }: { id: number }) => id)).toEqual([first.id]);
      }
      expect((await login({ username: variant(local, domain), email, password: PASSWORD })).status).toBe(200);
    });

    it.each(['a@ex%61mple.com', 'a@example.com:80', 'a@example.com/x', 'a@b@example.com', ' @example.com'])(
      'makes no other email out of %s',
      async (email) => expectProblem(await register(account({ email })), 400, 'validation_failed', ['email']),
    );

    it('gives an email to one of several simultaneous registrations', async () => {
      const email = `contended-${newEmail()}`;
      const spellings = Array.from({ length: 8 }, (_, at) => email.slice(0, at).toUpperCase() + email.slice(at));
      const answers = await Promise.all(spellings.map((spelling) => register(account({ email: spelling }))));
      const refused = answers.filter(({ status }) => status !== 201);
      expect(refused).toHaveLength(7);
      for (const answer of refused) expectProblem(answer, 409, 'email_taken');
    });

    it.each<[string, unknown, string[]]>([
      ['nothing', {}, ['name', 'email', 'password']],
      ['a blank name', account({ name: ' \n ' }), ['name']],
      ['a name of 101 characters', account({ name: 'x'.repeat(101) }), ['name']],
      ['a name with U+0000', account({ name: 'a\0b' }), ['name']],
      ['a name with half a surrogate pair', account({ name: '\ud83e' }), ['name']],
      ['a number for a name', account({ name: 42 }), ['name']],
      ['no email address', account({ email: 'ada.example.com' }), ['email']],
      ['an email of 255 characters', account({ email: `${'a'.repeat(243)}@example.com` }), ['email']],
      ['a password of 7 characters', account({ password: 'x'.repeat(7) }), ['password']],
      ['a password of 129 characters', account({ password: 'x'.repeat(129) }), ['password']],
      ['null and a list', account({ email: null, password: ['correct horse'] }), ['email', 'password']],
      ['a field nobody knows', account({ role: 'admin' }), ['role']],
    ])('refuses %s and names the fields', async (_, body, fields) => {
      expectProblem(await register(body), 400, 'validation_failed', fields);
    });

    it.each(['{"name": ', '[]', 'null', '"text"'])('refuses the body %s', async (body) => {
      const headers = { 'Content-Type': 'application/json' };
      expectProblem(await app.request('POST', '/register', { body, headers }), 400, 'validation_failed');
    });

    it('accepts values of the maximum length, counted in characters', async () => {
      const email = `${'a'.repeat(60)}${randomUUID().slice(0, 4)}@${`${'b'.repeat(61)}.`.repeat(3)}com`;
      const { status, body } = await register({ name: '🧮'.repeat(100), email, password: '🔑'.repeat(128) });
      expect({ status, name: body.name }).toEqual({ status: 201, name: '🧮'.repeat(100) });
    });

    it('accepts JSON only, not a form', async () => {
      expectProblem(await register(new URLSearchParams(account())), 415, 'unsupported_media_type');
    });
  });

  describe('login', () => {
    it.each<[string, string, (email: string) => unknown]>([
      ['the OAuth 2 form', '/auth/login', (username) => new URLSearchParams({ username, password: PASSWORD })],
      [
        'the form of a generic OAuth 2 client',
        '/auth/login',
        (username) => new URLSearchParams({ grant_type: 'password', username, password: PASSWORD, scope: '' }),
      ],
      [
        'the form of a generated client, with all fields that there are',
        '/auth/login',
        (username) => new URLSearchParams({ ...EMPTY, username, password: PASSWORD }),
      ],
      ['the same with email', '/login', (email) => new URLSearchParams({ ...EMPTY, email, password: PASSWORD })],
      ['the form at the alias', '/login', (username) => new URLSearchParams({ username, password: PASSWORD })],
      ['JSON with username', '/auth/login', (username) => ({ username, password: PASSWORD })],
      ['JSON with email', '/auth/login', (email) => ({ email, password: PASSWORD })],
      ['JSON with both alike', '/auth/login', (email) => ({ username: email, email, password: PASSWORD })],
      ['JSON at the alias', '/login', (email) => ({ email, password: PASSWORD })],
    ])('takes %s', async (_, path, form) => {
      const { body: user } = await register(account());
      const { status, body } = await login(form(user.email as string), path);
      expect(status).toBe(200);
      expect(body).toEqual({
        access_token: expect.any(String),
        token_type: 'bearer',
        expires_in: 900,
        refresh_token: expect.any(String),
      });
      const [header, payload] = decode(body.access_token as string);
      expect(header).toMatchObject({ alg: 'HS256', typ: 'JWT' });
      expect(payload).toMatchObject({ sub: String(user.id), sid: expect.stringMatching(/./) });
      expect(payload.exp - payload.iat).toBe(900);
      expect((await me(body.access_token as string)).body).toEqual(user);
    });

    it('opens a new session each time', async () => {
      const { body: user } = await register(account());
      const form = { email: user.email, password: PASSWORD };
      const tokens = await Promise.all([login(form), login(form)]);
      const [one, other] = tokens.map(({ body }) => decode(body.access_token as string)[1].sid);
      expect(one).not.toBe(other);
    });

    it.each<[string, object, string[]]>([
      ['two names that differ', { username: 'a@example.com', email: 'b@example.com', password: PASSWORD }, ['email']],
      ['no name', { password: PASSWORD }, ['username']],
      ['no password', { username: 'a@example.com' }, ['password']],
      ['a number', { username: 'a@example.com', password: 12345678 }, ['password']],
      ['an empty form', new URLSearchParams({ ...EMPTY, password: '' }), ['password']],
      ['an empty name in JSON', { username: 'a@example.com', email: '', password: PASSWORD }, ['email']],
      ['a name twice', new URLSearchParams('username=&username=a@example.com&password=x'), ['username']],
    ])('refuses %s', async (_, body, fields) => {
      expectProblem(await login(body), 400, 'validation_failed', fields);
    });

    it('answers an unknown email like a wrong password: same body, same time', async () => {
      const { email } = await app.user();
      const wrong = { username: email, password: 'wrong horse' };
      const unknown = { username: newEmail(), password: PASSWORD };
      const times: { wrong: number[]; unknown: number[] } = { wrong: [], unknown: [] };
      for (let round = 0; round < 7; round += 1) {
        const started = performance.now();
        const one = await login(wrong);
        const between = performance.now();
        const other = await login(unknown);
        times.wrong.push(between - started);
        times.unknown.push(performance.now() - between);
        expectProblem(one, 401, 'invalid_credentials');
        expectSameAnswer(one, other);
      }
      const median = (all: number[]): number => all.sort((a, b) => a - b)[3]!;
      const ratio = median(times.unknown) / median(times.wrong);
      expect(ratio).toBeGreaterThan(1 / 3);
      expect(ratio).toBeLessThan(3);
    });
  });

  describe('password storage', () => {
    it('uses a salted argon2id hash', async () => {
      const [one, other] = await Promise.all([register(account()), register(account())]);
      const rows = await app.sql('SELECT password_hash AS hash FROM users WHERE id = ANY($1)', [
        [one.body.id, other.body.id],
      ]);
      for (const { hash } of rows) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect(rows[0].hash).not.toBe(rows[1].hash);
    });

    it('shows the password in no answer', async () => {
      const password = `secret ${randomUUID()}`;
      const form = account({ password });
      const { body: user } = await register(form);
      const { body: tokens } = await login({ username: form.email, password });
      const token = tokens.access_token as string;
      const answers = [
        { body: user },
        { body: tokens },
        await register(form),
        await register({ ...form, name: '', more: password }),
        await login({ username: newEmail(), password }),
        await login({ username: form.email, email: password, password }),
        await me(token),
        await app.request('GET', `/users/${user.id}`, { token }),
        await app.request('GET', `/users?query=${form.email}`, { token }),
        await app.request('PATCH', '/users/me', { token, body: { name: 'Countess' } }),
      ];
      for (const { body } of answers) {
        expect(JSON.stringify(body)).not.toContain(password);
        expect(JSON.stringify(body)).not.toMatch(/argon2|hash/);
      }
    });
  });

  it('is required on every route that is not public', async () => {
    const { body: document } = await app.request('GET', '/openapi.json');
    const operations = Object.entries(document.paths as Record<string, any>).flatMap(([path, item]) =>
      Object.entries<any>(item as object).map(([method, operation]) => ({
        method,
        path,
        open: operation['x-public'] === true,
      })),
    );
    expect(operations.length).toBeGreaterThan(25);
    const open = operations.filter((operation) => operation.open).map(({ method, path }) => `${method} ${path}`);
    const mayBeOpen = ['/auth/register', '/register', '/auth/login', '/login', '/auth/refresh'].map(
      (path) => `post ${path}`,
    );
    expect([...mayBeOpen, 'get /health/live', 'get /health/ready', 'get /metrics']).toEqual(
      expect.arrayContaining(open),
    );
    for (const { method, path, open } of operations) {
      const answer = await app.request(method.toUpperCase(), path.replace(/\{\w+\}/g, '1'));
      if (open) expect([method, path, answer.status]).not.toEqual([method, path, 401]);
      else expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 401, 'unauthorized']);
    }
  });
});
