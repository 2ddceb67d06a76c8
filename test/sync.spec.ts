import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import type { News, SyncCursor, SyncRequest } from '../src/contract/sync.js';
import { expectProblem } from './support/expect-problem.js';
import { Replica } from './support/replica.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('sync', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;

  beforeAll(async () => {
    app = await TestApp.start();
  });
  // New users in each test: sync returns all chats of a user.
  beforeEach(async () => {
    [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
  });
  afterAll(() => app.close());

  const news = async (user: TestUser, request: SyncRequest): Promise<News> => {
    const { status, body } = await user.post<News>('/sync', request);
    expect(status).toBe(200);
    return body;
  };
  const only = ({ chats }: News): News['chats'][number] => {
    expect(chats).toHaveLength(1);
    return chats[0]!;
  };
  const view = async (user: TestUser, { id }: { id: number }): Promise<Chat> => {
    const chats = (await user.get<Chat[]>('/chats')).body;
    return chats.find((chat) => chat.id === id)!;
  };
  const cursorOf = async (user: TestUser, { id }: { id: number }): Promise<Record<string, SyncCursor>> => {
    const { last_seq, last_change_seq, last_read_seq, read_by_all_seq } = await view(user, { id });
    return { [id]: { seq: last_seq, change_seq: last_change_seq, last_read_seq, read_by_all_seq } };
  };
  const sayMany = (user: TestUser, chat: Chat, count: number): Promise<Message[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => user.say(chat, `message ${index + 1}`)));
  const seqs = (messages: Message[]): number[] => messages.map(({ seq }) => seq);
  const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

  it('returns every chat to a new client, sorted by id, as GET /chats shows it, with its newest 20 messages', async () => {
    const group = await ada.group(bob);
    const pair = await ada.privateChat(bob);
    await sayMany(bob, group, 23);
    await app.writeActivity();
    const answer = await news(ada, { cursors: {} });
    expect(answer.chats.map(({ id }) => id)).toEqual([group.id, pair.id]);
    expect(answer).toMatchObject({ removed_chat_ids: [], next_chat_id: null });
    const { messages, members, left_user_ids, has_more, reset, ...chat } = answer.chats[0]!;
    expect(chat).toEqual(await view(ada, group));
    expect([seqs(messages), members, left_user_ids, has_more, reset]).toEqual([range(4, 23), null, [], false, false]);
    expect(messages).toEqual((await ada.get(`/history/${group.id}?offset=3`)).body);
    expect(answer.chats[1]).toEqual({
      ...(await view(ada, pair)),
      messages: [],
      members: null,
      left_user_ids: [],
      has_more: false,
      reset: false,
    });
    expect([chat.peer, answer.chats[1]!.peer?.id]).toEqual([null, bob.id]);
  });

  it('returns no chats of others, also none without messages', async () => {
    const cyd = await app.user();
    await ada.group(bob);
    expect(await news(cyd, { cursors: {} })).toEqual({ chats: [], removed_chat_ids: [], next_chat_id: null });
  });

  it('returns nothing when there is nothing new', async () => {
    const chat = await ada.group(bob);
    await sayMany(ada, chat, 2);
    expect(await news(ada, { cursors: await cursorOf(ada, chat) })).toEqual({
      chats: [],
      removed_chat_ids: [],
      next_chat_id: null,
    });
  });

  it('returns a changed read mark only to a client whose cursor has one', async () => {
    const chat = await ada.group(bob);
    const message = await ada.say(chat);
    const cursors = await cursorOf(ada, chat);
    await bob.post(`/messages/${message.id}/read`);
    expect(only(await news(ada, { cursors }))).toMatchObject({ read_by_all_seq: 1, messages: [], has_more: false });
    const { seq, change_seq } = cursors[chat.id]!;
    expect((await news(ada, { cursors: { [chat.id]: { seq, change_seq } } })).chats).toEqual([]);
    const stale = { [chat.id]: { seq: 1, change_seq: 0, last_read_seq: 0 } };
    expect(only(await news(ada, { cursors: stale }))).toMatchObject({ last_read_seq: 1, unread_count: 0 });
  });

  it('returns new messages in order, then changed older ones, including tombstones', async () => {
    const chat = await ada.group(bob);
    const [one, two, three] = await sayMany(ada, chat, 3);
    const cursors = await cursorOf(bob, chat);
    await ada.delete(`/messages/${three!.id}`);
    await ada.patch(`/messages/${one!.id}`, { text: 'other words' });
    const four = await ada.say(chat);
    const { messages, last_change_seq } = only(await news(bob, { cursors }));
    expect(messages.map(({ seq, text, change_seq }) => [seq, text, change_seq])).toEqual([
      [four.seq, four.text, null],
      [three!.seq, null, 1],
      [one!.seq, 'other words', 2],
    ]);
    expect([two!.seq, last_change_seq]).toEqual([2, 2]);
  });

  it('returns a new name, role and size of a group without reading a message', async () => {
    const chat = await ada.group(bob);
    await ada.say(chat);
    const cursors = await cursorOf(bob, chat);
    const [cyd] = (await app.users(1)) as [TestUser];
    await ada.patch(`/groups/${chat.id}`, { name: 'Renamed' });
    await ada.put(`/groups/${chat.id}/members/${cyd.id}`);
    await ada.patch(`/groups/${chat.id}/members/${bob.id}`, { role: 'admin' });
    expect(only(await news(bob, { cursors }))).toMatchObject({
      name: 'Renamed',
      my_role: 'admin',
      member_count: 3,
      messages: [],
    });
    expect(only(await news(cyd, { cursors: {} }))).toMatchObject({ id: chat.id, last_read_seq: 1, unread_count: 0 });
  });

  it('lists chats without membership as removed: left, removed from, deleted, foreign and absent alike', async () => {
    const [left, removed, deleted] = await Promise.all([ada.group(bob), ada.group(bob), ada.group(bob)]);
    const [cyd, dan] = (await app.users(2)) as [TestUser, TestUser];
    const foreign = await cyd.privateChat(dan);
    await bob.delete(`/groups/${left.id}/members/${bob.id}`);
    await ada.delete(`/groups/${removed.id}/members/${bob.id}`);
    await ada.delete(`/groups/${deleted.id}`);
    const ids = [left.id, removed.id, deleted.id, foreign.id, 999_999_999];
    const cursors = Object.fromEntries(ids.map((id) => [id, { seq: 0, change_seq: 0 }]));
    const answer = await news(bob, { cursors });
    expect(answer).toEqual({ chats: [], removed_chat_ids: ids.sort((a, b) => a - b), next_chat_id: null });
  });

  it('returns no message to a user who is removed while the answer is made', async () => {
    const chat = await ada.group(bob);
    await ada.say(chat);
    const read = (readerId: number) =>
      app.sql('SELECT seq FROM changed_messages($1, $2, $3, $4, $5, $6, $7)', [
        readerId,
        [chat.id],
        [1],
        [1],
        [0],
        [0],
        9,
      ]);
    expect(await read(bob.id)).toHaveLength(1);
    await ada.delete(`/groups/${chat.id}/members/${bob.id}`);
    expect(await read(bob.id)).toHaveLength(0);
  });

  it('resets a client that is more than 1000 messages behind, and not one that is exactly 1000 behind', async () => {
    const chat = await ada.group(bob);
    await sayMany(ada, chat, 1001);
    const far = only(await news(bob, { cursors: { [chat.id]: { seq: 0, change_seq: 0 } } }));
    expect([far.reset, far.has_more, seqs(far.messages)]).toEqual([true, false, range(982, 1001)]);
    const near = only(await news(bob, { cursors: { [chat.id]: { seq: 1, change_seq: 0 } }, limit: 500 }));
    expect([near.reset, near.has_more, seqs(near.messages)]).toEqual([false, true, range(2, 501)]);
  });

  it('resets a client whose cursor is ahead of the server', async () => {
    const chat = await ada.group(bob);
    await sayMany(ada, chat, 2);
    const answer = only(await news(ada, { cursors: { [chat.id]: { seq: 9, change_seq: 0 } } }));
    expect([answer.reset, seqs(answer.messages)]).toEqual([true, [1, 2]]);
  });

  it.each([1, 3, 7, 200])('pages through messages and changes, %i at a time', async (limit) => {
    const [long, short, changed] = [await ada.group(bob), await ada.group(bob), await ada.group(bob)];
    const replica = new Replica(bob.id);
    await replica.catchUp((request) => news(bob, request));
    const edited = await sayMany(ada, changed, 6);
    await replica.catchUp((request) => news(bob, request), limit);
    await sayMany(ada, long, 10);
    await ada.say(short);
    await Promise.all(edited.map(({ id }) => ada.patch(`/messages/${id}`, { text: `edited ${id}` })));
    await ada.delete(`/messages/${(await ada.say(changed)).id}`);

    const pages: News[] = [];
    await replica.catchUp(async (request) => {
      pages.push(await news(bob, request));
      return pages.at(-1)!;
    }, limit);
    for (const { chats } of pages) {
      expect(chats.flatMap(({ messages }) => messages).length).toBeLessThanOrEqual(limit);
    }
    // All pages but the last are full. Only messages that changed since they were returned come twice.
    for (const { chats } of pages.slice(0, -1)) expect(chats.flatMap(({ messages }) => messages)).toHaveLength(limit);
    for (const chat of [long, short, changed]) {
      const held = [...replica.chats.get(chat.id)!.messages.values()];
      expect(held.sort((a, b) => a.seq - b.seq)).toEqual((await bob.get(`/history/${chat.id}`)).body);
    }
    expect(await news(bob, { cursors: replica.cursors() })).toMatchObject({ chats: [], next_chat_id: null });
  });

  it('returns no chat to a new client without its messages, however small the limit is', async () => {
    for (const count of [2, 3, 1, 4]) await sayMany(ada, await ada.group(bob), count);
    const pages: News[] = [];
    await new Replica(bob.id).catchUp(async (request) => {
      pages.push(await news(bob, request));
      return pages.at(-1)!;
    }, 4);
    expect(pages.map(({ chats }) => chats.map(({ messages }) => messages.length))).toEqual([[2], [3, 1], [4]]);
  });

  it('returns fewer than 20 messages of a chat without a cursor, or with a reset, when the limit is less', async () => {
    const chat = await ada.group(bob);
    await sayMany(ada, chat, 9);
    for (const cursors of [{}, { [chat.id]: { seq: 99, change_seq: 0 } }]) {
      const { messages, has_more } = only(await news(bob, { cursors, limit: 7 }));
      expect([seqs(messages), has_more]).toEqual([range(3, 9), false]);
    }
  });

  it('returns up to 200 chats at a time, and continues after the last one', async () => {
    await app.sql(
      `WITH made AS (INSERT INTO chats (type, creator_id) SELECT 'group', $1 FROM generate_series(1, 250) RETURNING id),
       named AS (INSERT INTO groups (chat_id, name, member_count) SELECT id, 'one of many', 1 FROM made)
       INSERT INTO chat_members (chat_id, user_id, role) SELECT id, $1, 'owner' FROM made`,
      [ada.id],
    );
    const first = await news(ada, { cursors: {} });
    expect(first.chats).toHaveLength(200);
    expect(first.next_chat_id).toBe(first.chats[199]!.id);
    const rest = await news(ada, { cursors: {}, after_chat_id: first.next_chat_id! });
    expect([rest.chats.length, rest.next_chat_id]).toEqual([50, null]);
    expect(rest.chats[0]!.id).toBeGreaterThan(first.next_chat_id!);
  });

  it('returns the same over the socket', async () => {
    const chat = await ada.group(bob);
    await sayMany(bob, chat, 3);
    const device = await ada.device();
    const request = { cursors: { [chat.id]: { seq: 1, change_seq: 0 }, 999_999_999: { seq: 0, change_seq: 0 } } };
    await app.writeActivity(); // It moves the activity_cursor.
    expect(await device.command('sync', request)).toEqual({ ok: true, data: await news(ada, request) });
    expect(await device.raw('sync', { cursors: { x: {} } })).toMatchObject({
      ok: false,
      error: { code: 'validation_failed', errors: [{ field: 'cursors' }] },
    });
  });

  it.each([
    [{}, 'cursors', 'must be an object'],
    [{ cursors: [] }, 'cursors', 'must be an object'],
    [{ cursors: { 0: { seq: 0, change_seq: 0 } } }, 'cursors', "0 is not a chat's id"],
    [{ cursors: { '9007199254740993': { seq: 0, change_seq: 0 } } }, 'cursors', "9007199254740993 is not a chat's id"],
    [{ cursors: { 7: null } }, 'cursors', '7 must be an object'],
    [{ cursors: { 7: { seq: 1 } } }, 'cursors', '7.change_seq must be given'],
    [{ cursors: { 7: { seq: '1', change_seq: 0 } } }, 'cursors', '7.seq must be a whole number'],
    [{ cursors: { 7: { seq: 1, change_seq: -1 } } }, 'cursors', '7.change_seq must be a whole number'],
    [{ cursors: { 7: { seq: 1, change_seq: 0, last_read_seq: null } } }, 'cursors', '7.last_read_seq must be'],
    [{ cursors: { 7: { seq: 1, change_seq: 0, extra: 1 } } }, 'cursors', '7.extra is not a known field'],
    [{ cursors: {}, limit: 0 }, 'limit', 'must be a whole number from 1 to 500'],
    [{ cursors: {}, limit: 501 }, 'limit', 'must be a whole number from 1 to 500'],
    [{ cursors: {}, after_chat_id: -1 }, 'after_chat_id', 'must be a whole number'],
    [{ cursors: {}, after: 1 }, 'after', 'is not a known field'],
  ])('refuses %j', async (body, field, message) => {
    const answer = await ada.post('/sync', body);
    expectProblem(answer, 400, 'validation_failed');
    expect(answer.body.errors).toEqual([{ field, message: expect.stringContaining(message) }]);
  });

  it('accepts bodies of up to 256 KiB, four times the limit of other routes', async () => {
    const cursors = (count: number) =>
      Object.fromEntries(range(1_000_000, 1_000_000 + count).map((id) => [id, { seq: 1, change_seq: 1 }]));
    const large = { cursors: cursors(6_000) };
    expect(JSON.stringify(large).length).toBeGreaterThan(200 * 1024);
    expect((await news(ada, large)).removed_chat_ids).toHaveLength(6_001);
    expectProblem(await ada.post('/sync', { cursors: cursors(8_000) }), 413, 'payload_too_large');
    expectProblem(await ada.post('/messages', large), 413, 'payload_too_large');
  });
});
