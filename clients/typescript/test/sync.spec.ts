import fc from 'fast-check';
import type { Chat, ChatWithMembers, Member } from '../../../src/contract/chats.js';
import type { Message } from '../../../src/contract/messages.js';
import { NameSweeper } from '../../../src/chats/name.sweeper.js';
import { runsOf } from '../../../test/support/runs-of.js';
import { TestApp, type TestUser } from '../../../test/support/test-app.js';
import type { Client } from '../src/client.js';
import { systemClock } from '../src/clock.js';
import { HeldChat } from '../src/held-chat.js';
import { MessageMap } from '../src/message-map.js';
import { Clients, synced, until } from './clients.js';

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

  /** The insides of a client: its scope. */
  const scopeOf = (client: Client) => (client as any).scope.peek();

  /** Lets events of the server get lost before the client hears them, when `isLost` says so. */
  function losing(client: Client, isLost: () => boolean): void {
    const { store } = scopeOf(client);
    const apply = store.apply.bind(store);
    store.apply = (event: string, payload: object) => (isLost() ? undefined : apply(event, payload));
  }

  const syncNow = async (client: Client): Promise<void> => {
    scopeOf(client).sync.request();
    await synced(client);
  };

  /** Checks that the client has what the server has, and the newest messages of each chat without a gap. */
  async function expectSame(client: Client, user: TestUser): Promise<void> {
    const chats = (await user.get<Chat[]>('/chats?limit=100')).body;
    const { store } = scopeOf(client);
    const byId = (one: { id: number }, other: { id: number }): number => one.id - other.id;
    const shown = [...client.chats.list.get()].sort(byId);
    const kept = ({
      id,
      type,
      name,
      creator_id,
      member_count,
      my_role,
      last_seq,
      last_read_seq,
      read_by_all_seq,
    }: any) => {
      return { id, type, name, creator_id, member_count, my_role, last_seq, last_read_seq, read_by_all_seq };
    };
    expect(shown.map(kept)).toEqual(chats.sort(byId).map(kept));
    for (const chat of chats) {
      const held: HeldChat = store.chats.get(chat.id);
      expect([held.seq, held.change_seq]).toEqual([chat.last_seq, chat.last_change_seq]);
      const stored = (await user.get<Message[]>(`/history/${chat.id}?limit=100`)).body;
      const from = held.timeline.runAt(held.seq)?.from ?? held.seq + 1;
      const own = stored
        .filter(({ seq }) => seq >= from)
        .map(({ client_message_id }) => client.chat(chat.id).message(client_message_id).get()!);
      const fields = ({ key: _, status: __, error: ___, change: ____, ...message }: any) => message;
      expect(own.map(fields)).toEqual(stored.filter(({ seq }) => seq >= from));
      const listed = (members: readonly Member[]) =>
        members.map(({ user_id, name, role }) => ({ user_id, name, role })).sort((a, b) => a.user_id - b.user_id);
      await client.chat(chat.id).loadMembers();
      const { members } = (await user.get<ChatWithMembers>(`/chats/${chat.id}`)).body;
      expect(listed(client.chat(chat.id).state.get()!.members!)).toEqual(listed(members));
    }
  }

  it('brings what was missed, after a gap too', async () => {
    const [one, two] = (await app.users(2)) as [TestUser, TestUser];
    const client = await clients.of(one);
    const chat = await one.group(two);
    await until(client.chat(chat.id).state, (state) => state !== undefined);
    let isLost = true;
    losing(client, () => isLost);
    const { id } = await two.say(chat, 'lost');
    await two.patch(`/messages/${id}`, { text: 'lost and changed' });
    await scopeOf(client).connection.request('sync', { cursors: {} }); // The events have come by now.
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
    await scopeOf(client).connection.request('sync', { cursors: {} });
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
    losing(client, () => true);
    for (let round = 0; round < 11; round += 1) {
      await Promise.all(Array.from({ length: 100 }, () => two.say(far)));
    }
    await two.delete(`/groups/${left.id}/members/${one.id}`);
    const shown = client.chat(far.id).messages({ limit: 50 });
    await syncNow(client);
    expect(client.chat(left.id).state.get()).toBeUndefined();
    expect(client.chat(far.id).message(key).get()).toBeUndefined();
    await until(shown.state, ({ keys }) => keys.length === 20);
    await shown.older();
    expect(shown.state.get().keys).toHaveLength(70);
    await expectSame(client, one);
  });

  it('asks over REST when its cursors are too many for a frame', async () => {
    const user = await app.user();
    const chat = await user.group();
    const paths: string[] = [];
    const send: typeof fetch = (url, request) => {
      paths.push(new URL(url as string).pathname);
      return fetch(url, request);
    };
    const client = await clients.of(user, { fetch: send });
    // Chats that the user isn't in.
    for (let id = 1; id <= 600; id += 1) scopeOf(client).store.startChat({ ...chat, id: 1_000_000 + id });
    await syncNow(client);
    expect(paths).toContain('/sync');
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

  const PEOPLE = 3;
  const deed = fc.record({
    kind: fc.constantFrom(
      ...[
        'send',
        'send',
        'send',
        'send',
        'edit',
        'delete',
        'read',
        'read',
        'remove',
        'add',
        'add',
        'rename',
        'name',
        'role',
        'group',
        'sync',
      ],
    ),
    who: fc.nat(PEOPLE - 1),
    pick: fc.nat(1_000),
  });
  type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

  class World {
    readonly groups: Chat[] = [];
    readonly messages: Message[] = [];

    constructor(
      readonly users: readonly TestUser[],
      readonly devices: readonly Client[],
    ) {}

    async do({ kind, who, pick }: Deed): Promise<void> {
      const user = this.users[who]!;
      const group = this.groups[pick % this.groups.length]!;
      const message = this.messages[pick % (this.messages.length || 1)];
      const other = this.users[pick % PEOPLE]!;
      if (kind === 'send') {
        const { status, body } = await user.post<Message>('/messages', { chat_id: group.id, text: `text ${pick}` });
        if (status === 201) this.messages.push(body);
      }
      if (kind === 'edit' && message) await user.patch(`/messages/${message.id}`, { text: `edited ${pick}` });
      if (kind === 'delete' && message) await user.delete(`/messages/${message.id}`);
      if (kind === 'read' && message) await user.post(`/messages/${message.id}/read`);
      if (kind === 'remove') await user.delete(`/groups/${group.id}/members/${other.id}`);
      if (kind === 'add') await user.put(`/groups/${group.id}/members/${other.id}`);
      if (kind === 'rename') await user.patch(`/groups/${group.id}`, { name: `name ${pick}` });
      if (kind === 'name') await user.patch('/users/me', { name: `person ${pick}` });
      if (kind === 'role')
        await user.patch(`/groups/${group.id}/members/${other.id}`, { role: ['member', 'admin', 'owner'][pick % 3] });
      if (kind === 'group') this.groups.push(await user.group(...this.users));
      if (kind === 'sync') await syncNow(this.devices[who]!);
    }
  }

  it("gives a client the server's state, whatever happened and whichever events it missed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(deed, { minLength: 1, maxLength: 4 }), { maxLength: 20 }),
        fc.infiniteStream(fc.boolean()),
        async (rounds, losses) => {
          const users = await app.users(PEOPLE);
          const devices = await Promise.all(users.map((user) => clients.of(user)));
          for (const device of devices) losing(device, () => losses.next().value === true);
          const world = new World(users, devices);
          world.groups.push(await users[0]!.group(...users));
          for (const round of rounds) await Promise.all(round.map((one) => world.do(one)));
          for (const { id } of users) {
            const steps = app.nest.get(NameSweeper).tell(id);
            while (!(await steps.next()).done);
          }
          for (const [index, device] of devices.entries()) {
            losing(device, () => false);
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
