import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { AdmissionService } from '../src/realtime/connections/admission.service.js';
import { DEFAULT_REALTIME_OPTIONS } from '../src/realtime/realtime.options.js';
import { SocketServer } from '../src/realtime/socket.server.js';
import { expectProblem } from './support/expect-problem.js';
import { refusedUpgrade } from './support/plain-client.js';
import { TestApp, type TestUser } from './support/test-app.js';

const BOUND = 5;
const CLIENTS = 60;

const connected = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('connect', resolve));

describe('handshake admission', () => {
  let app: TestApp;
  let users: TestUser[];

  beforeAll(async () => {
    app = await TestApp.start({}, { maxPending: BOUND });
    users = await app.users(3);
  });
  afterAll(() => app.close());

  it('accepts a few connections at a time; refused clients retry by themselves until all are connected', async () => {
    const pending: number[] = [];
    const admission = app.nest.get(AdmissionService);
    app.nest.get(SocketServer).io.engine.on('connection', () => pending.push(admission.pending));
    let refused = 0;
    const sockets = Array.from({ length: CLIENTS }, (_, i): Socket => {
      const { token } = users[i % users.length]!;
      const transports = i % 2 ? ['websocket'] : ['polling', 'websocket'];
      return io(app.url, { auth: { token }, transports, forceNew: true }).on('connect_error', () => (refused += 1));
    });
    await Promise.all(sockets.map(connected));
    expect(refused).toBeGreaterThan(0);
    expect(Math.max(...pending)).toBe(BOUND);
    expect(pending).toHaveLength(CLIENTS);
    for (const socket of sockets) socket.close();
  });

  it('tells a refused client when to retry', async () => {
    const node = await TestApp.start({ databaseUrl: app.databaseUrl }, { maxPending: 0 });
    const delays = new Set<number>();
    for (let i = 0; i < 30; i++) {
      const answer = await node.request('GET', '/socket.io/?EIO=4&transport=polling');
      expectProblem(answer, 503, 'overloaded');
      delays.add(Number(answer.headers.get('retry-after')));
    }
    expect(delays.size).toBeGreaterThan(1);
    for (const delay of delays) expect(delay >= 1 && delay <= 5).toBe(true);
    for (const path of ['/socket.io/?EIO=4&transport=websocket', `/ws/chat?token=${users[0]!.token}`]) {
      const { status, type, body } = await refusedUpgrade(node.url, path);
      expect({ status, type }).toEqual({ status: 503, type: 'application/problem+json; charset=utf-8' });
      expect(JSON.parse(body)).toMatchObject({ code: 'overloaded' });
    }
    await node.close();
  });

  it('refuses the handshakes of an address that has sent too many, whose clients retry by themselves', async () => {
    const address = { ...DEFAULT_REALTIME_OPTIONS.address, handshakes: 2, windowMs: 500, refusalDelayMs: 10 };
    const node = await TestApp.start({ databaseUrl: app.databaseUrl, rateLimit: true }, { address });
    const statuses: number[] = [];
    const sockets = Array.from({ length: 5 }, (_, i): Socket => {
      const { token } = users[i % users.length]!;
      const socket = io(node.url, {
        auth: { token },
        transports: ['polling'],
        forceNew: true,
        reconnectionDelay: 200,
        reconnectionDelayMax: 500,
      });
      return socket.on('connect_error', (error) => {
        statuses.push((error as Error & { description: number }).description);
        expect(socket.active).toBe(true);
      });
    });
    await Promise.all(sockets.map(connected));
    expect(new Set(statuses)).toEqual(new Set([429]));
    for (const socket of sockets) socket.close();
    await node.close();
  });

  it('closes a connection of an address that has 2,000 open', async () => {
    const node = await TestApp.start({ databaseUrl: app.databaseUrl, rateLimit: true });
    const port = Number(new URL(node.url).port);
    const open = async (localAddress: string): Promise<TcpSocket> => {
      const socket = connect({ port, host: '127.0.0.1', localAddress });
      await once(socket.resume(), 'connect');
      return socket;
    };
    const serves = async (socket: TcpSocket): Promise<boolean> => {
      socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
      return Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)]);
    };
    const sockets: TcpSocket[] = [];
    while (sockets.length < 2_000) {
      // No more at once than the kernel lets wait until they are accepted.
      sockets.push(...(await Promise.all(Array.from({ length: 250 }, () => open('127.0.9.1')))));
      expect(await serves(sockets.at(-1)!)).toBe(true);
    }
    expect([await serves(await open('127.0.9.1')), await serves(await open('127.0.9.2'))]).toEqual([false, true]);
    for (const socket of sockets) socket.destroy();
    await node.close();
  });
});
