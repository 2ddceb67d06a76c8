import { LogReader } from '../src/messages/log.reader.js';
import { CatchUpQueue } from '../src/realtime/delivery/catch-up.queue.js';
import { LogTailPoller } from '../src/realtime/delivery/log-tail.poller.js';
import { LogWatermark } from '../src/realtime/delivery/log.watermark.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('catching up with a chat', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => app.close());

  it('publishes no change twice when the low watermark passes it between read and publish', async () => {
    const [log, watermark] = [app.nest.get(LogReader), app.nest.get(LogWatermark)];
    const chat = await ada.group(bob);
    const { id } = await ada.say(chat, 'first');
    const device = await bob.device();
    await ada.patch(`/messages/${id}`, { text: 'second' });
    await device.next('message:updated');

    // A catch-up has read the change and is stopped at this point.
    let publish = (): void => undefined;
    const held = new Promise<void>((resolve) => (publish = resolve));
    const [changes, advancesSince] = [log.changes.bind(log), log.advancesSince.bind(log)];
    const read = new Promise<void>((resolve) => {
      jest.spyOn(log, 'changes').mockImplementationOnce(async (...query) => {
        const rows = await changes(...query);
        resolve();
        await held;
        return rows;
      });
    });
    const round = app.nest.get(CatchUpQueue).add([chat.id]);
    await read;

    // Meanwhile the low watermark passes the change, and a poll ends.
    const newest = await log.newest();
    for (let poll = 1; poll <= 4; poll += 1) watermark.confirm(performance.now() + poll * 6_000, newest);
    expect(watermark.position).toEqual(newest);
    const polled = new Promise<void>((resolve) => {
      jest.spyOn(log, 'advancesSince').mockImplementationOnce(async (...query) => {
        const advance = await advancesSince(...query);
        setImmediate(resolve);
        return advance;
      });
    });
    const poll = app.nest.get(LogTailPoller).poll();
    await polled;
    publish();
    await Promise.all([round, poll]);

    const last = await ada.say(chat, 'last');
    await device.next('message:created', (message) => message.id === last.id);
    expect(device.all('message:updated')).toHaveLength(1);
  });
});
