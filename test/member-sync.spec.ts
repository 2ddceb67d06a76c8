import { ChatsService } from '../src/chats/chats.service.js';
import type { Chat, Member } from '../src/contract/chats.js';
import type { News, SyncCursor } from '../src/contract/sync.js';
import { Replica } from './support/replica.js';
import { TestApp, type TestUser } from './support/test-app.js';

/** What sync tells of the members of a chat. */
describe('sync of members', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let cyd: TestUser;
  let group: Chat;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());
  beforeEach(async () => {
    [ada, bob, cyd] = (await app.users(3)) as [TestUser, TestUser, TestUser];
    group = await ada.group(bob);
  });

  const sync = async (cursor: SyncCursor | undefined, limit?: number): Promise<News['chats'][number]> => {
    const { body } = await bob.post<News>('/sync', { cursors: cursor ? { [group.id]: cursor } : {}, limit });
    expect(body.chats).toHaveLength(1);
    return body.chats[0]!;
  };
  const add = (user: TestUser) => ada.put(`/groups/${group.id}/members/${user.id}`);
  const remove = (user: TestUser) => ada.delete(`/groups/${group.id}/members/${user.id}`);
  const setRole = (user: TestUser, role: string) => ada.patch(`/groups/${group.id}/members/${user.id}`, { role });
  const memberNow = async ({ id }: TestUser): Promise<Member | undefined> =>
    (await bob.get<Member[]>(`/chats/${group.id}/members`)).body.find(({ user_id }) => user_id === id);

  it('names those who came, changed and left since the cursor, and nobody else', async () => {
    const [dan] = (await app.users(1)) as [TestUser];
    await add(dan);
    await add(cyd);
    await setRole(bob, 'admin');
    await remove(dan);
    expect(await sync({ seq: 0, change_seq: 1 })).toMatchObject({
      members: [await memberNow(cyd), await memberNow(bob)],
      left_user_ids: [dan.id],
    });
    expect(await sync({ seq: 0, change_seq: 3 })).toMatchObject({ members: [], left_user_ids: [dan.id] });
    await ada.say(group);
    expect(await sync({ seq: 0, change_seq: 4 })).toMatchObject({ members: [], left_user_ids: [] });
  });

  it('names a member who left and came again as a member, with a message or without one', async () => {
    for (const speaks of [false, true]) {
      await add(cyd);
      if (speaks) await cyd.say(group);
      await remove(cyd);
      const { last_seq: seq, last_change_seq: change_seq } = await sync({ seq: 0, change_seq: 0 });
      await add(cyd);
      for (const since of [0, change_seq]) {
        expect(await sync({ seq, change_seq: since })).toMatchObject({
          members: [await memberNow(cyd)],
          left_user_ids: [],
        });
      }
      await remove(cyd);
      expect(await sync({ seq, change_seq })).toMatchObject({ members: [], left_user_ids: [cyd.id] });
    }
  });

  it.each<[string, SyncCursor | undefined]>([
    ['without a cursor', undefined],
    ['with a cursor ahead of its messages', { seq: 9, change_seq: 0 }],
    ['with a cursor ahead of its changes', { seq: 0, change_seq: 9 }],
  ])('has the client drop the members of a chat %s', async (_, cursor) => {
    await add(cyd);
    expect(await sync(cursor)).toMatchObject({ members: null, left_user_ids: [], reset: cursor !== undefined });
  });

  it.each([100, 101])('names up to 100 members: %i have come, and then left', async (count) => {
    const isNamed = count <= 100;
    await app.sql(
      `WITH made AS (INSERT INTO users (name, email, password_hash)
         SELECT 'Somebody', i || '.' || $1::bigint || '@example.org', '' FROM generate_series(1, $2::int) i RETURNING id),
       counted AS (UPDATE groups SET member_count = member_count + $2 WHERE chat_id = $1),
       changed AS (UPDATE chats SET last_change_seq = $2 WHERE id = $1)
       INSERT INTO chat_members (chat_id, user_id, change_seq) SELECT $1, id, row_number() OVER () FROM made`,
      [group.id, count],
    );
    const { members } = await sync({ seq: 0, change_seq: 0 });
    expect(members?.length).toBe(isNamed ? count : undefined);
    expect((await sync({ seq: 0, change_seq: 1 })).members).toHaveLength(count - 1);
    await app.sql(
      `WITH gone AS (DELETE FROM chat_members WHERE chat_id = $1 AND change_seq > 0 RETURNING *)
       INSERT INTO former_members (user_id, chat_id, change_seq, wrote) SELECT user_id, chat_id, change_seq, false FROM gone`,
      [group.id],
    );
    const left = await sync({ seq: 0, change_seq: 0 });
    expect([left.members, left.left_user_ids.length]).toEqual(isNamed ? [[], count] : [null, 0]);
  });

  it('names no more than 1,000 members of all chats together', async () => {
    const CHATS = 11;
    await app.sql(
      `WITH people AS (INSERT INTO users (name, email, password_hash)
         SELECT 'Somebody', i || '-' || $1::bigint || '@example.org', '' FROM generate_series(1, 99) i RETURNING id),
       made AS (INSERT INTO chats (type, creator_id, last_change_seq)
         SELECT 'group', $1, 1 FROM generate_series(1, $2::int) RETURNING id),
       named AS (INSERT INTO groups (chat_id, name, member_count) SELECT id, 'one of many', 100 FROM made),
       joined AS (INSERT INTO chat_members (chat_id, user_id, change_seq) SELECT made.id, people.id, 1 FROM made, people)
       INSERT INTO chat_members (chat_id, user_id, change_seq) SELECT id, $1, 1 FROM made`,
      [bob.id, CHATS],
    );
    const { chats } = (await bob.post<News>('/sync', { cursors: {} })).body;
    const cursors = Object.fromEntries(chats.map(({ id }) => [id, { seq: 0, change_seq: 0 }]));
    const named = (await bob.post<News>('/sync', { cursors })).body.chats.map(({ members }) => members?.length);
    expect(named).toEqual([...Array<number>(10).fill(100), undefined]);
  });

  it('keeps every change of a member when messages come in pages', async () => {
    const replica = new Replica(bob.id);
    const pages: News[] = [];
    const catchUp = (limit: number) =>
      replica.catchUp(async (request) => {
        pages.push((await bob.post<News>('/sync', request)).body);
        return pages.at(-1)!;
      }, limit);
    const said = [await ada.say(group), await ada.say(group), await ada.say(group)];
    await add(cyd);
    await catchUp(100);
    expect(replica.takeMembers((await bob.get(`/chats/${group.id}`)).body)).toBe(true);
    // A change of a member before, between and after those of the messages.
    await setRole(bob, 'admin');
    await ada.patch(`/messages/${said[0]!.id}`, { text: 'edited' });
    await remove(cyd);
    await ada.patch(`/messages/${said[1]!.id}`, { text: 'edited' });
    await ada.patch(`/messages/${said[2]!.id}`, { text: 'edited' });
    await setRole(bob, 'member');
    await ada.say(group);
    pages.length = 0;
    await catchUp(1);
    expect(pages.length).toBeGreaterThanOrEqual(4);
    const held = replica.chats.get(group.id)!;
    const roles = (members: Iterable<Member>) => [...members].map(({ user_id, role }) => [user_id, role]);
    expect(roles(held.members!.values())).toEqual(roles((await bob.get(`/chats/${group.id}/members`)).body));
    expect(held.change_seq).toBe((await bob.get<Chat>(`/chats/${group.id}`)).body.last_change_seq);
  });

  it('names nobody to a user who is removed while the answer is made', async () => {
    await add(cyd);
    const read = (user: TestUser) =>
      app.nest.get(ChatsService).membersChangedSince(user.id, [{ id: group.id, since: 0 }], 10);
    expect(await read(cyd)).toMatchObject([{ chat_id: group.id, members: [{ user_id: cyd.id }] }]);
    await remove(cyd);
    expect(await read(cyd)).toEqual([]);
  });
});
