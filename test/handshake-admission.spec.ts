import { io, type Socket } from 'socket.io-client';
import { AdmissionService } from '../src/realtime/connections/admission.service.js';
import { PlainWebSocketServer } from '../src/realtime/plain/plain-websocket.server.js';
import { expectProblem } from './support/expect-problem.js';
import { refusedUpgrade } from './support/plain-client.js';
import { TestApp, type TestUser } from './support/test-app.js';

const BOUND = 5;
const CLIENTS = 60;

describe('many who connect at once', () => {
  let app: TestApp;
  let admission: AdmissionService;
  let users: TestUser[];

  beforeAll(async () => {
    app = await TestApp.start();
    admission = app.nest.get(AdmissionService);
    users = await app.users(3);
  });
  afterAll(() => app.close());

  it('are let in a few at a time, and all of them in the end, by themselves', async () => {
    admission.maxUnderWay = BOUND;
    const underWay: number[] = [];
    const { engine } = app.nest.get(PlainWebSocketServer)['io'];
    engine.on('connection', () => underWay.push(admission.underWay));
    let refused = 0;
    const sockets = Array.from({ length: CLIENTS }, (_, i): Socket => {
      const { token } = users[i % users.length]!;
      const transports = i % 2 ? ['websocket'] : ['polling', 'websocket'];
      return io(app.url, { auth: { token }, transports, forceNew: true }).on('connect_error', () => (refused += 1));
    });
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.once('connect', resolve))));
    expect(refused).toBeGreaterThan(0);
    expect(Math.max(...underWay)).toBe(BOUND);
    expect(underWay).toHaveLength(CLIENTS);
    for (const socket of sockets) socket.close();
  });

  it('are told when to come again', async () => {
    admission.maxUnderWay = 0;
    const delays = new Set<number>();
    for (let i = 0; i < 30; i++) {
      const answer = await app.request('GET', '/socket.io/?EIO=4&transport=polling');
      expectProblem(answer, 503, 'overloaded');
      delays.add(Number(answer.headers.get('retry-after')));
    }
    expect(delays.size).toBeGreaterThan(1);
    for (const delay of delays) expect(delay >= 1 && delay <= 5).toBe(true);
    for (const path of ['/socket.io/?EIO=4&transport=websocket', `/ws/chat?token=${users[0]!.token}`]) {
      const { status, type, body } = await refusedUpgrade(app.url, path);
      expect({ status, type }).toEqual({ status: 503, type: 'application/problem+json; charset=utf-8' });
      expect(JSON.parse(body)).toMatchObject({ code: 'overloaded' });
    }
  });
});
