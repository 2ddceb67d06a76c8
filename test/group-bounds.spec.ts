import type { Chat, NewGroup } from '../src/contract/chats.js';
import { expectProblem } from './support/expect-problem.js';
import { TestApp, type TestUser } from './support/test-app.js';

const DAY_MS = 86_400_000;

describe('bounds of groups and chats', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  beforeAll(async () => {
    const bounds = { chats: 4, groupMembers: 3, groupsPerDay: 3, additionsPerDay: 5 };
    app = await TestApp.start({ rateLimit: true, bounds });
  });
  afterAll(() => app.close());
  beforeEach(async () => ([ada, bob] = (await app.users(2)) as [TestUser, TestUser]));

  const make = (who: TestUser, ...others: TestUser[]) =>
    who.post<NewGroup>('/groups', { name: 'A group', member_ids: others.map(({ id }) => id) });
  const add = (who: TestUser, group: { id: number }, whom: TestUser) =>
    who.put(`/groups/${group.id}/members/${whom.id}`);
  const chatsOf = async (who: TestUser) => (await who.get<Chat[]>('/chats')).body.map(({ id }) => id);
  /** Puts the user into as many chats as a user can be in. */
  const fill = async (who: TestUser): Promise<void> => {
    for (const other of await app.users(4)) await make(other, who);
  };
  /** Lets the day of a user be over. */
  const nextDay = (who: TestUser) =>
    app.sql(`UPDATE daily_counts SET began_at = now() - interval '1 day' WHERE user_id = $1`, [who.id]);

  it('let a user make so many groups a day, by either route, and count racing ones', async () => {
    const answers = await Promise.all(
      ['/groups', '/chats', '/groups', '/chats', '/groups'].map((path) =>
        ada.post(path, { name: 'A group', ...(path === '/chats' && { type: 'group' }) }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 429, 429]);
    const refused = await make(ada);
    expectProblem(refused, 429, 'rate_limited');
    const wait = 1_000 * Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(DAY_MS - 60_000);
    expect(wait).toBeLessThanOrEqual(DAY_MS);
    expect((await make(bob)).status).toBe(201);
    await nextDay(ada);
    expect((await make(ada)).status).toBe(201);
  });

  it('let a user add so many people a day, to new groups and to old ones', async () => {
    const people = await app.users(6);
    const [one, two] = [await make(ada, ...people.slice(0, 2)), await make(ada, ...people.slice(2, 4))];
    expect([one.body.member_count, two.body.member_count]).toEqual([3, 3]);
    const { body: group } = await make(ada);
    expect((await add(ada, group, people[4]!)).status).toBe(200);
    expect((await add(ada, group, people[4]!)).status).toBe(200);
    expectProblem(await add(ada, group, people[5]!), 429, 'rate_limited');
    await nextDay(ada);
    expect((await add(ada, group, people[5]!)).status).toBe(200);
  });

  it('let a group have so many members, however many are added at once', async () => {
    const [carol, dave] = (await app.users(2)) as [TestUser, TestUser];
    expectProblem(await make(ada, bob, carol, dave), 409, 'limit_reached');
    const { body: group } = await make(ada);
    const statuses = (await Promise.all([bob, carol, dave].map((who) => add(ada, group, who)))).map((a) => a.status);
    expect(statuses.sort()).toEqual([200, 200, 409]);
    expect((await ada.get<Chat>(`/chats/${group.id}`)).body.member_count).toBe(3);
  });

  it('let a user be in so many chats: another one is refused, and a new group leaves them out', async () => {
    await fill(ada);
    const chats = await chatsOf(ada);
    expect(chats).toHaveLength(4);
    const { body: group } = await make(bob, ada);
    expect(group).toMatchObject({ member_count: 1, left_out_ids: [ada.id] });
    for (const answer of [
      await make(ada),
      await add(bob, group, ada),
      await bob.post(`/groups/${group.id}/add_user/${ada.id}`),
      await ada.post('/chats', { type: 'private', user_id: bob.id }),
      await bob.post('/chats', { type: 'private', user_id: ada.id }),
    ]) {
      expectProblem(answer, 409, 'limit_reached');
    }
    expect(await chatsOf(ada)).toEqual(chats);
    await ada.delete(`/groups/${chats[0]!}/members/${ada.id}`);
    expect((await add(bob, group, ada)).status).toBe(200);
  });

  it('let a user be in so many chats, also when many people add them at once', async () => {
    const others = await app.users(8);
    const groups = await Promise.all(others.map(async (other) => (await make(other)).body));
    await Promise.all([
      ...others.slice(0, 3).map((other, index) => add(other, groups[index]!, ada)),
      ...others.slice(3, 6).map((other) => make(other, ada)),
      ...others.slice(6).map((other) => other.post('/chats', { type: 'private', user_id: ada.id })),
    ]);
    expect(await chatsOf(ada)).toHaveLength(4);
  });
});
