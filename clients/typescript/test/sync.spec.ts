import fc from 'fast-check';
import type { Chat } from '../../../src/contract/chats.js';
import type { Message } from '../../../src/contract/messages.js';
import { type Deed, deed, PEOPLE, World } from '../../../test/support/deeds.js';
import { runsOf } from '../../../test/support/runs-of.js';
import { TestApp, type TestUser } from '../../../test/support/test-app.js';
import type { Client } from '../src/client.js';
import { systemClock } from '../src/clock.js';
import { HeldChat } from '../src/held-chat.js';
import { MessageMap } from '../src/message-map.js';
import { Clients, hearAll, scopeOf, synced, until } from './clients.js';
import { expectSame } from './expect-same.js';
import { Wire } from './wire.js';

describe('sync', () => {
  let app: TestApp;
  const clients = new Clients(() => app);

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(async () => {
    await clients.close();
    await app.close();
  });

  /** Lets events of the server get lost before the client hears them, when `isLost` says so. */
  function losing(client: Client, isLost: () => boolean): Wire {
    const isAnswer = (what: string): boolean => ['sync', 'typing'].includes(what);
    const wire = new Wire(client);
    wire.onHeard = (what, pass) => {
      if (isAnswer(what) || !isLost()) pass();
    };
    return wire;
  }

  const syncNow = async (client: Client): Promise<void> => {
    scopeOf(client).sync.request();
    await synced(client);
  };

  it('brings what was missed, after a gap too', async () => {
    const [one, two] = (await app.users(2)) as [TestUser, TestUser];
    const client = await clients.of(one);
    const chat = await one.group(two);
    await until(client.chat(chat.id).state, (state) => state !== undefined);
    let isLost = true;
    losing(client, () => isLost);
    const { id } = await two.say(chat, 'lost');
    await two.patch(`/messages/${id}`, { text: 'lost and changed' });
    await hearAll(client);
    isLost = false;
    await two.say(chat, 'heard');
    await until(client.chat(chat.id).state, (state) => state?.last_message?.text === 'heard' && state.last_seq === 2);
    await until(client.status, ({ sync }) => sync === 'syncing');
    await synced(client);
    await expectSame(client, one);
  });

  it('brings a chat of which only a message was heard', async () => {
    const [one, two] = (await app.users(2)) as [TestUser, TestUser];
    const client = await clients.of(one);
    let isLost = true;
    losing(client, () => isLost);
    const chat = await two.group(one);
    await hearAll(client);
    isLost = false;
    await two.say(chat);
    await until(client.chat(chat.id).state, (state) => state !== undefined);
    await synced(client);
    await expectSame(client, one);
  });

  it('drops what it is told to drop, and a chat that it has left', async () => {
    const [one, two] = (await app.users(2)) as [TestUser, TestUser];
    const client = await clients.of(one);
    const [far, left] = [await one.group(two), await two.group(one)];
    await until(client.chat(left.id).state, (state) => state !== undefined);
    const key = (await two.say(far)).client_message_id;
    await until(client.chat(far.id).message(key), (message) => message !== undefined);
    const wire = losing(client, () => true);
    await Promise.all(Array.from({ length: 80 }, () => two.say(far)));
    await two.delete(`/groups/${left.id}/members/${one.id}`);
    const shown = client.chat(far.id).messages({ limit: 50 });
    wire.isResetting = true;
    await syncNow(client);
    expect(client.chat(left.id).state.get()).toBeUndefined();
    expect(client.chat(far.id).message(key).get()).toBeUndefined();
    await until(shown.state, ({ keys }) => keys.length === 20);
    await shown.older();
    expect(shown.state.get().keys).toHaveLength(70);
    await expectSame(client, one);
  });

  it('names its chats in parts when they are too many for a frame', async () => {
    const user = await app.user();
    const chat = await user.group();
    const client = await clients.of(user);
    const { socket } = scopeOf(client).connection;
    const emit = socket.emit.bind(socket);
    const parts: number[] = [];
    socket.emit = (command: string, payload: { cursors: object }, answer: unknown) => {
      if (command === 'sync') parts.push(Object.keys(payload.cursors).length);
      return emit(command, payload, answer);
    };
    // Chats that the user isn't in.
    for (let id = 1; id <= 600; id += 1) scopeOf(client).store.startChat({ ...chat, id: 1_000_000 + id });
    await user.say(chat);
    await syncNow(client);
    expect(parts).toEqual([500, 101]);
    await expectSame(client, user);
  });

  it('syncs after sleep: the clock of the day has jumped', async () => {
    const [one, two] = (await app.users(2)) as [TestUser, TestUser];
    const clock = { now: () => Date.now() + ahead, monotonic: () => performance.now() };
    let ahead = 0;
    const client = await clients.of(one, { clock: { ...systemClock, ...clock } });
    const chat = await one.group(two);
    await until(client.chat(chat.id).state, (state) => state !== undefined);
    const seen: string[] = [];
    client.status.subscribe(({ sync }) => seen.push(sync));
    ahead = 60_000;
    await two.say(chat);
    await until(client.chat(chat.id).state, (state) => state?.last_seq === 1);
    expect(seen).toContain('syncing');
    await synced(client);
  });

  it('applies a thousand messages to a store of a hundred thousand without a copy of its lists', () => {
    const listener = { held: () => undefined, changed: () => undefined };
    const chat = { id: 1, last_seq: 0, last_message: null, last_read_seq: 0, read_by_all_seq: 0 } as unknown as Chat;
    const map = new MessageMap({ userId: 1, readByAll: () => 0 });
    const held = new HeldChat(chat, 0, 0, 1, map, listener);
    const message = (seq: number): Message =>
      ({
        id: seq,
        chat_id: 1,
        seq,
        client_message_id: `key ${seq}`,
        sender_id: 2,
        text: 'text',
        change_seq: null,
      }) as Message;
    for (let seq = 1; seq <= 100_000; seq += 1) held.created(message(seq));
    held.beginSync();
    const next = Array.from({ length: 1_000 }, (_, index) => message(100_001 + index));
    const before = process.cpuUsage();
    for (const one of next) held.created(one);
    const { user, system } = process.cpuUsage(before);
    expect(held.seq).toBe(101_000);
    expect((user + system) / 1_000).toBeLessThan(50);
  });

  it("gives a client the server's state, whatever happened and whichever events it missed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(deed, { minLength: 1, maxLength: 4 }), { maxLength: 20 }),
        fc.infiniteStream(fc.boolean()),
        async (rounds, losses) => {
          const users = await app.users(PEOPLE);
          const devices = await Promise.all(users.map((user) => clients.of(user)));
          for (const device of devices) losing(device, () => losses.next().value === true);
          const world = new World(users);
          world.groups.push(await users[0]!.group(...users));
          const live = (one: Deed): Promise<void> => (one.kind === 'sync' ? syncNow(devices[one.who]!) : world.do(one));
          for (const round of rounds) await Promise.all(round.map(live));
          await world.tellNames(app);
          for (const [index, device] of devices.entries()) {
            await syncNow(device);
            await expectSame(device, users[index]!);
            await device.close();
          }
        },
      ),
      { numRuns: runsOf(8, 100) },
    );
  }, 600_000);
});
