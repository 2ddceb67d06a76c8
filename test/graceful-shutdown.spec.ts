import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { createDatabase, onDatabase } from './support/database.js';
import { expectProblem } from './support/expect-problem.js';
import { TcpProxy } from './support/tcp-proxy.js';
import { request } from './support/http.js';
import { PlainClient, refusedUpgrade } from './support/plain-client.js';
import { RetryingClient } from './support/retrying-client.js';
import { inTemporaryFolder, ServerProcess } from './support/server-process.js';
import { PASSWORD, unique } from './support/test-app.js';
import { freePort } from '../src/common/free-port.js';

const MOST_SECONDS = 10;
const SECRET = 'a secret of the tests, long enough';

interface Person {
  id: number;
  token: string;
}

async function register(url: string): Promise<Person> {
  const email = `person-${unique()}@example.com`;
  const body = { name: 'A person', email, password: PASSWORD };
  const { body: account } = await request(url, 'POST', '/auth/register', { body });
  const { body: login } = await request(url, 'POST', '/auth/login', { body: { username: email, password: PASSWORD } });
  return { id: account.id as number, token: login.access_token as string };
}

describe('graceful shutdown', () => {
  let database: { url: string; drop: () => Promise<void> };
  const senders: RetryingClient[] = [];

  beforeEach(async () => (database = await createDatabase()));
  afterEach(async () => {
    for (const { socket } of senders.splice(0)) socket.close();
    await ServerProcess.stopAll();
    await database.drop();
  });

  const start = (dir: string, env: Record<string, string> = {}): ServerProcess =>
    ServerProcess.start(dir, {
      DATABASE_URL: database.url,
      JWT_SECRET: SECRET,
      RATE_LIMIT: 'off',
      LOG_LEVEL: 'warn',
      ...env,
    });

  /** Sends SIGTERM. Returns the exit code and the seconds until the process has ended. */
  async function stop(server: ServerProcess): Promise<{ code: number | null; seconds: number }> {
    const start = performance.now();
    const code = await server.stop('SIGTERM');
    return { code, seconds: (performance.now() - start) / 1_000 };
  }

  /** Users in one group, each with a connected client. They connect to the urls in turn. */
  async function crowd(
    count: number,
    ...urls: string[]
  ): Promise<{ people: Person[]; chatId: number; crowd: RetryingClient[] }> {
    const people = await Promise.all(Array.from({ length: count }, () => register(urls[0]!)));
    const [{ token }] = people as [Person];
    const body = { name: 'Everybody', member_ids: people.slice(1).map(({ id }) => id) };
    const { body: chat } = await request(urls[0]!, 'POST', '/groups', { token, body });
    const chatId = chat.id as number;
    const crowd = people.map((person, i) => new RetryingClient(urls[i % urls.length]!, person, chatId));
    senders.push(...crowd);
    await Promise.all(crowd.map((sender) => sender.connected()));
    return { people, chatId, crowd };
  }

  const storedIn = (chatId: number): Promise<{ key: string; seq: number }[]> =>
    onDatabase(database.url, async (client) => {
      const text = 'SELECT client_message_id AS key, seq::int FROM messages WHERE chat_id = $1 ORDER BY seq';
      return (await client.query<{ key: string; seq: number }>(text, [chatId])).rows;
    });
  const ackedBy = (crowd: readonly RetryingClient[]): { key: string; seq: number }[] =>
    crowd
      .flatMap(({ acked }) => [...acked].map(([key, seq]) => ({ key, seq })))
      .sort((one, other) => one.seq - other.seq);

  it('acks everything it stores under load, tells each client when to reconnect, and exits with 0 in time', async () => {
    await inTemporaryFolder(async (dir) => {
      const server = start(dir);
      const url = await server.url();
      const { crowd: clients, chatId, people } = await crowd(6, url);
      const plain = await PlainClient.open(url, `/ws/chat?token=${people[0]!.token}`);
      await plain.ping();
      const sending = clients.map((client) => client.keepSending(8, () => client.disconnects.length > 0));
      await Promise.all(clients.map((client) => client.send()));
      const { code, seconds } = await stop(server);
      await Promise.all(sending);

      expect(code).toBe(0);
      expect(seconds).toBeLessThan(MOST_SECONDS);
      expect(server.output).not.toMatch(/"level":(50|60)/);
      const stored = await storedIn(chatId);
      expect(stored.length).toBeGreaterThanOrEqual(clients.length);
      expect(stored).toEqual(ackedBy(clients));
      expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, i) => i + 1));
      // The client library reconnects after 'transport close', and would not after 'io server disconnect'.
      expect(clients.map(({ disconnects }) => disconnects)).toEqual(clients.map(() => ['transport close']));
      expect(clients.map(({ socket }) => socket.active)).toEqual(clients.map(() => true));
      const delays = clients.flatMap((client) => client.reconnectDelays);
      expect(delays).toHaveLength(clients.length);
      expect(new Set(delays).size).toBeGreaterThan(1);
      for (const delay of delays) expect(delay >= 500 && delay <= 1_500).toBe(true);
      expect(await plain.nextOf('server:draining')).toEqual({
        type: 'server:draining',
        reconnect_in_ms: expect.any(Number),
      });
      expect((await plain.closed)[0]).toBe(1001);
    });
  });

  it('accepts nothing new after the signal, and is not delayed by any client', async () => {
    await inTemporaryFolder(async (dir) => {
      const server = start(dir);
      const url = await server.url();
      const { crowd: clients, people, chatId } = await crowd(2, url);
      const { token } = people[0]!;
      // One client never reads its close frame, one never ends its request, one keeps its connection open.
      const stalled = await PlainClient.open(url, `/ws/chat?token=${token}`);
      await stalled.ping();
      stalled.socket.pause();
      const half = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
      half.write(
        'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
      );
      const agent = new Agent({ keepAlive: true });
      const [response] = await once(get(`${url}/health/live`, { agent }), 'response');
      response.resume();
      await once(response, 'end');

      const told = new Promise((resolve) => clients[0]!.socket.once('server:draining', resolve));
      const stopped = stop(server);
      await told;
      expectProblem(await request(url, 'GET', '/health/ready'), 503, 'unavailable');
      expect((await request(url, 'GET', '/health/live')).status).toBe(200);
      const refused = await request(url, 'POST', '/messages', { token, body: { chat_id: chatId, text: 'late' } });
      expectProblem(refused, 503, 'unavailable');
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(refused.headers.get('connection')).toBe('close');
      const polling = await request(url, 'GET', '/socket.io/?EIO=4&transport=polling');
      expectProblem(polling, 503, 'unavailable');
      expect(polling.headers.get('retry-after')).toBe('1');
      for (const path of ['/socket.io/?EIO=4&transport=websocket', `/ws/chat?token=${token}`]) {
        expect(await refusedUpgrade(url, path)).toMatchObject({
          status: 503,
          type: expect.stringContaining('problem'),
        });
      }
      const { code, seconds } = await stopped;
      expect(code).toBe(0);
      expect(seconds).toBeLessThan(MOST_SECONDS);
      stalled.socket.terminate();
      half.destroy();
      agent.destroy();
    });
  });

  it('exits with 0 in time although the database is unresponsive', async () => {
    const proxy = await TcpProxy.inFrontOf(database.url);
    await inTemporaryFolder(async (dir) => {
      const server = start(dir, { DATABASE_URL: proxy.url });
      const url = await server.url();
      const { crowd: clients } = await crowd(2, url);
      proxy.dropResponses();
      const sending = clients[0]!.send(() => clients[0]!.disconnects.length > 0);
      const { code, seconds } = await stop(server);
      expect(code).toBe(0);
      expect(seconds).toBeLessThan(MOST_SECONDS);
      await sending;
    });
    proxy.close();
  });

  it('loses no acked message when nodes restart in turn, and leaves every client with exactly what is stored', async () => {
    await inTemporaryFolder(async (dir) => {
      const ports = [String(await freePort()), String(await freePort())];
      const nodes = ports.map((PORT) => start(dir, { PORT }));
      const urls = await Promise.all(nodes.map((node) => node.url()));
      const { crowd: clients, chatId } = await crowd(4, ...urls);
      let isOver = false;
      const sending = clients.map((client) => client.keepSending(1, () => isOver));
      for (const [i, PORT] of ports.entries()) {
        expect((await stop(nodes[i]!)).code).toBe(0);
        nodes[i] = start(dir, { PORT });
        await nodes[i].url();
        await Promise.all(clients.map((client) => client.connected()));
        await Promise.all(clients.map((client) => client.send()));
      }
      isOver = true;
      await Promise.all(sending);

      const stored = await storedIn(chatId);
      const keys = new Set(stored.map(({ key }) => key));
      for (const one of ackedBy(clients)) expect(keys.has(one.key)).toBe(true);
      expect(keys.size).toBe(stored.length);
      for (const client of clients) {
        await client.catchUp();
        const { messages } = client.replica.chats.get(chatId)!;
        const held = [...messages.values()].sort((one, other) => one.seq - other.seq);
        expect(held.map(({ client_message_id: key, seq }) => ({ key, seq }))).toEqual(stored.slice(-held.length));
        expect(held.at(-1)?.seq).toBe(stored.length);
      }
      expect(new Set(clients.flatMap(({ disconnects }) => disconnects))).toEqual(new Set(['transport close']));
    });
  }, 90_000);
});
