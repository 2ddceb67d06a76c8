import { DomainEventBus } from '../src/common/domain-event.bus.js';
import { SocketConnected, SocketDisconnected } from '../src/common/socket.events.js';
import { PlainClient } from './support/plain-client.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('socket lifecycle', () => {
  let app: TestApp;
  let ada: TestUser;
  const published: (SocketConnected | SocketDisconnected)[] = [];
  let onEvent = (): void => undefined;

  beforeAll(async () => {
    app = await TestApp.start();
    ada = await app.user();
    for (const type of [SocketConnected, SocketDisconnected]) {
      app.nest.get(DomainEventBus).on<SocketConnected | SocketDisconnected>(type, (event) => {
        published.push(event);
        onEvent();
      });
    }
  });
  beforeEach(() => (published.length = 0));
  afterAll(() => app.close());

  /** Resolves when `count` events were published since the test began. */
  const events = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onEvent = () => published.length >= count && resolve();
      onEvent();
    });

  it.each<[string, () => Promise<() => void>]>([
    [
      'Socket.IO',
      async () => {
        const device = await ada.device();
        return () => device.close();
      },
    ],
    [
      'a plain WebSocket',
      async () => {
        const client = await PlainClient.open(app.url, `/ws/chat?token=${ada.token}`);
        await client.ping();
        return () => client.socket.close();
      },
    ],
  ])('publishes a domain event at each connect and disconnect, over %s', async (_, connect) => {
    const leave = await connect();
    await events(1);
    leave();
    await events(2);
    const [connected, disconnected] = published;
    expect(connected).toBeInstanceOf(SocketConnected);
    expect(connected!.principal).toMatchObject({ userId: ada.id, sessionId: ada.sessionId });
    expect(disconnected).toBeInstanceOf(SocketDisconnected);
    expect(disconnected!.socketId).toBe(connected!.socketId);
  });

  it('publishes nothing for a refused socket', async () => {
    const refused = await PlainClient.open(app.url, '/ws/chat?token=none');
    expect((await refused.closed)[0]).toBe(4401);
    const device = await ada.device();
    await events(1);
    expect(published).toHaveLength(1);
    device.close();
  });
});
