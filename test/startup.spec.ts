import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDatabase, onDatabase } from './support/database.js';
import { Device } from './support/device.js';
import { TcpProxy } from './support/tcp-proxy.js';
import { request } from './support/http.js';
import { PlainClient, refusedUpgrade } from './support/plain-client.js';
import { inTemporaryFolder, ServerProcess } from './support/server-process.js';
import { PASSWORD } from './support/test-app.js';

/** Starts and stops the built application as a process. The embedded PostgreSQL has a spec of its own. */
describe('startup', () => {
  afterEach(() => ServerProcess.stopAll());

  const account = { name: 'Ada', email: 'ada@example.com', password: PASSWORD };
  const login = (url: string) =>
    request(url, 'POST', '/auth/login', { body: { email: account.email, password: PASSWORD } });

  describe('with DATABASE_URL', () => {
    let database: { url: string; drop: () => Promise<void> };
    beforeAll(async () => (database = await createDatabase()));
    afterAll(() => database.drop());

    it('reports in one line that the port is in use', async () => {
      const occupant = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => occupant.once('listening', resolve));
      const { port } = occupant.address() as AddressInfo;
      try {
        await inTemporaryFolder(async (dir) => {
          const server = ServerProcess.start(dir, {
            DATABASE_URL: database.url,
            PORT: String(port),
            LOG_LEVEL: 'warn',
          });
          expect(await server.exitCode()).toBe(1);
          expect(server.output.trim()).toBe(`Port ${port} is taken: stop what uses it, or set PORT.`);
        });
      } finally {
        occupant.close();
      }
    });

    it('is followed by one log line when the database is lost and one when it is back', async () => {
      const proxy = await TcpProxy.inFrontOf(database.url);
      await inTemporaryFolder(async (dir) => {
        const server = ServerProcess.start(dir, { DATABASE_URL: proxy.url });
        await server.url();
        proxy.block();
        await proxy.untilRefused(3);
        proxy.unblock();
        await server.until(/revocations\.in_reach/);
        expect(await server.stop('SIGTERM')).toBe(0);
        expect(server.output.match(/revocations\.\w+/g)).toEqual(['revocations.out_of_reach', 'revocations.in_reach']);
      });
      proxy.close();
    });

    it('is followed by one log line, however many requests and handshakes come through a proxy that TRUST_PROXY lacks', async () => {
      await inTemporaryFolder(async (dir) => {
        const server = ServerProcess.start(dir, { DATABASE_URL: database.url, TRUST_PROXY: '192.0.2.1' });
        const url = await server.url();
        const handshake = '/socket.io/?EIO=4&transport=polling';
        for (const path of ['/health/live', handshake, '/nowhere', handshake, '/health/live']) {
          await request(url, 'GET', path);
          expect(server.output).not.toContain('proxy.not_trusted');
        }
        for (const path of [handshake, '/health/live', '/nowhere', handshake, '/health/live']) {
          await request(url, 'GET', path, { headers: { 'X-Forwarded-For': '203.0.113.7' } });
        }
        expect(await server.stop('SIGTERM')).toBe(0);
        expect(server.output.match(/proxy\.not_trusted/g)).toHaveLength(1);
        expect(server.output).toContain('TRUST_PROXY does not name its sender');
      });
    });

    it('is followed by JSON logs of all key events, without passwords, tokens or texts at the finest level', async () => {
      await inTemporaryFolder(async (dir) => {
        const jwtSecret = 'the secret of this very test, long';
        const server = ServerProcess.start(dir, {
          DATABASE_URL: database.url,
          NODE_ENV: 'production',
          METRICS_PORT: '0',
          JWT_SECRET: jwtSecret,
          LOG_LEVEL: 'trace',
          TRUST_PROXY: 'loopback',
        });
        const url = await server.url();
        const wrong = 'wrong password';
        const headers = { 'X-Forwarded-For': '[2001:DB8::7]:4711' };
        const { body: ada } = await request(url, 'POST', '/auth/register', { body: account, headers });
        for (let tries = 0; tries <= 10; tries += 1) {
          await request(url, 'POST', '/auth/login', { body: { email: account.email, password: wrong }, headers });
        }
        await request(url, 'GET', `/${'long'.repeat(200)}`, { headers });
        const { body: session } = await login(url);
        const token = session.access_token as string;
        const { body: bob } = await request(url, 'POST', '/register', {
          body: { ...account, name: 'Bob', email: 'bob@example.com' },
        });
        const { body: chat } = await request(url, 'POST', '/groups', {
          token,
          body: { name: 'A name', member_ids: [bob.id] },
        });
        const send = { chat_id: chat.id, text: 'a private text', client_message_id: 'key' };
        const { body: message } = await request(url, 'POST', '/messages', { token, body: send });
        await request(url, 'POST', '/messages', { token, body: send, headers: { 'X-Request-Id': 'my-request' } });
        await request(url, 'POST', `/messages/${message.id}/read`, { token });
        await request(url, 'GET', '/users?query=bob@example.com', { token });
        await request(url, 'POST', `/groups/${chat.id}/remove_user/${bob.id}`, { token });
        const device = await Device.connect(url, token);
        await device.command('message:send', { ...send, client_message_id: 'key-2' });
        device.close();
        await expect(Device.connect(url, 'a forged token')).rejects.toThrow();
        // The token in the URL: of an accepted socket, of refused ones, and of requests that are no upgrade.
        const plain = await PlainClient.open(url, `/ws/chat?token=${token}`);
        plain.send({ ...send, client_message_id: 'key-3' });
        await plain.next(({ client_message_id }) => client_message_id === 'key-3');
        plain.socket.close();
        await (
          await PlainClient.open(url, '/ws/chat?token=a%20forged%20token')
        ).closed;
        await refusedUpgrade(url, `/elsewhere?token=${token}`);
        await request(url, 'GET', `/ws/chat?token=${token}`);
        const refresh = { refresh_token: session.refresh_token, client_refresh_id: 'an-id-of-a-refresh' };
        const { body: refreshed } = await request(url, 'POST', '/auth/refresh', { body: refresh });
        const newPassword = 'battery staple';
        const change = { current_password: PASSWORD, new_password: newPassword };
        await request(url, 'POST', '/auth/password', { token, body: change });
        // Refused input: by the parser, by the validation rules, and by the database, whose errors contain the values.
        const json = { 'Content-Type': 'application/json' };
        await request(url, 'POST', '/auth/login', { body: `{"password": ${wrong}`, headers: json });
        await request(url, 'POST', '/auth/register', { body: { ...account, name: '', password: 'hunter 2 2 2' } });
        await onDatabase(database.url, async (client) => {
          await client.query("ALTER TABLE messages ADD CONSTRAINT quiet CHECK (text <> 'a refused text')");
          await client.query("ALTER TABLE users ADD CONSTRAINT quiet CHECK (email <> 'cyd@example.com')");
        });
        const refused = { ...send, text: 'a refused text', client_message_id: 'key-4' };
        const broken = [
          await request(url, 'POST', '/messages', { token, body: refused }),
          await request(url, 'POST', '/register', { body: { ...account, email: 'cyd@example.com' } }),
        ];
        expect(broken.map(({ status, body }) => [status, body.code])).toEqual([
          [500, 'internal_error'],
          [500, 'internal_error'],
        ]);
        await request(url, 'POST', '/auth/logout', { token });
        await server.until(/"socket\.left"/);
        expect(await server.stop('SIGTERM')).toBe(0);

        const lines = server.output
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line));
        const one = (event: string) => lines.find((line) => line.event === event);
        const ids = { user_id: ada.id, chat_id: chat.id, message_id: message.id };
        const address = '2001:db8::7';
        expect(one('user.registered')).toMatchObject({ user_id: ada.id, request_id: expect.any(String), address });
        expect(one('login.failed')).toMatchObject({ user_id: ada.id, address });
        expect(one('proxy.not_trusted')).toBeUndefined();
        expect(one('login.refused')).toMatchObject({ too_many_for: 'pair', address });
        expect(one('login')).toMatchObject({ user_id: ada.id, address: '127.0.0.1' });
        expect(lines.find(({ status }) => status === 429)).toMatchObject({ event: 'request', address });
        const strange = lines.find(({ path }) => path?.startsWith('/long'));
        expect(strange).toMatchObject({ status: 404, path: `/${'long'.repeat(200)}`.slice(0, 200), address });
        expect(one('password.changed')).toMatchObject({ user_id: ada.id, request_id: expect.any(String) });
        expect(one('session.ended')).toMatchObject({
          user_id: ada.id,
          session_id: one('login').session_id,
          reason: 'logout',
        });
        expect(one('group.created')).toMatchObject({ chat_id: chat.id });
        expect(one('group.member_removed')).toMatchObject({ chat_id: chat.id, member_id: bob.id });
        expect(one('message.sent')).toMatchObject({ ...ids, seq: 1 });
        expect(one('message.replayed')).toMatchObject({ ...ids, request_id: 'my-request' });
        expect(one('message.read')).toMatchObject(ids);
        expect(one('socket.connected')).toMatchObject({ user_id: ada.id });
        expect(one('socket.refused')).toMatchObject({ code: 'unauthorized' });
        expect(lines.filter((line) => line.event === 'message.sent' && line.socket_id)).toHaveLength(2);
        for (const { body } of broken) {
          const error = lines.find((line) => line.err && line.request_id === body.request_id);
          expect(error.err).toMatchObject({ code: '23514', stack: expect.stringContaining('constraint "quiet"') });
        }
        const answered = lines.find((line) => line.request_id === 'my-request' && line.event === 'request');
        expect(answered).toMatchObject({
          method: 'POST',
          path: '/messages',
          status: 200,
          user_id: ada.id,
          duration_ms: expect.any(Number),
        });
        for (const secret of [
          PASSWORD,
          wrong,
          newPassword,
          token,
          session.refresh_token,
          refreshed.refresh_token,
          refresh.client_refresh_id,
          jwtSecret,
          'a private text',
          'a refused text',
          'hunter 2 2 2',
          '$argon2id',
          'cyd@example.com',
          'a forged token',
          'a%20forged%20token',
          'bob@example.com',
        ]) {
          expect(server.output).not.toContain(secret);
        }
      });
    });
  });

  it.each([
    [{ NODE_ENV: 'production' }, /DATABASE_URL is required in production; JWT_SECRET is required in production/],
    [{ JWT_SECRET: 'short-and-secret' }, /JWT_SECRET must have 32 characters or more/],
    [{ DATABASE_URL: 'mysql://root:hunter2@db/x', PORT: '99999' }, /PORT must be .*; DATABASE_URL must look like/],
    [{ LOG_LEVEL: 'chatty-value' }, /LOG_LEVEL must be one of/],
  ])('refuses %j, and explains it without printing the value', async (env, reason) => {
    await inTemporaryFolder(async (dir) => {
      const server = ServerProcess.start(dir, env);
      expect(await server.exitCode()).toBe(1);
      expect(server.output).toMatch(reason);
      expect(server.output.trim().split('\n')).toHaveLength(1);
      expect(server.output).not.toMatch(/short-and-secret|hunter2|99999|chatty-value/);
    });
  });
});
