import { DomainEventBus } from '../src/common/domain-event.bus.js';
import { SocketConnected, SocketDisconnected } from '../src/common/socket.events.js';
import { PlainClient } from './support/plain-client.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('connecting and leaving', () => {
  let app: TestApp;
  let ada: TestUser;
  const heard: (SocketConnected | SocketDisconnected)[] = [];
  let onEvent = (): void => undefined;

  beforeAll(async () => {
    app = await TestApp.start();
    ada = await app.user();
    for (const type of [SocketConnected, SocketDisconnected]) {
      app.nest.get(DomainEventBus).on<SocketConnected | SocketDisconnected>(type, (event) => {
        heard.push(event);
        onEvent();
      });
    }
  });
  beforeEach(() => (heard.length = 0));
  afterAll(() => app.close());

  /** Resolves when so many events were published since the test began. */
  const events = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onEvent = () => heard.length >= count && resolve();
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
  ])('are domain events that any feature can listen to, over %s', async (_, connect) => {
    const leave = await connect();
    await events(1);
    leave();
    await events(2);
    const [connected, disconnected] = heard;
    expect(connected).toBeInstanceOf(SocketConnected);
    expect(connected!.principal).toMatchObject({ userId: ada.id, sessionId: ada.sessionId });
    expect(disconnected).toBeInstanceOf(SocketDisconnected);
    expect(disconnected!.socketId).toBe(connected!.socketId);
  });

  it('publish nothing for a socket that is refused', async () => {
    const refused = await PlainClient.open(app.url, '/ws/chat?token=none');
    expect((await refused.closed)[0]).toBe(4401);
    const device = await ada.device();
    await events(1);
    expect(heard).toHaveLength(1);
    device.close();
  });
});
