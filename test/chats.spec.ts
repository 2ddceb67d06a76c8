import type { Chat, Member } from '../src/contract/chats.js';
import type { User } from '../src/contract/users.js';
import { untilDelivered, receivedIn } from './support/received-events.js';
import { expectSameAnswer, expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NOWHERE = 987_654_321;

/** The fields of a chat that was just created. */
const fresh = (fields: Partial<Chat>): Chat => ({
  id: expect.any(Number),
  type: 'private',
  name: expect.any(String),
  peer: null,
  creator_id: expect.any(Number),
  created_at: expect.stringMatching(TIME),
  member_count: 2,
  my_role: 'member',
  last_seq: 0,
  last_change_seq: 0,
  last_read_seq: 0,
  read_by_all_seq: 0,
  unread_count: 0,
  last_message: null,
  activity_cursor: expect.stringMatching(/./),
  ...fields,
});

describe('chats', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  const trio = async () => (await app.users(3)) as [TestUser, TestUser, TestUser];
  /** The person as `GET /users/{id}` shows them. */
  const personOf = async ({ id }: TestUser): Promise<User> => (await (await app.user()).get<User>(`/users/${id}`)).body;
  const listOf = async (user: TestUser, query = ''): Promise<Chat[]> => (await user.get<Chat[]>(`/chats${query}`)).body;

  /** The chat as the user sees it. Checks that the list and the single chat agree. */
  const viewOf = async (user: TestUser, { id }: { id: number }): Promise<Chat> => {
    await app.writeActivity();
    const { members, ...chat } = (await user.get(`/chats/${id}`)).body;
    expect(members).toHaveLength(chat.member_count as number);
    expect((await listOf(user)).find((listed) => listed.id === id)).toEqual(chat);
    return chat as Chat;
  };

  describe('private chat', () => {
    it('is created once for two users, whoever asks, and shows the other user', async () => {
      const [ada, ben] = await trio();
      const made = await ada.post('/chats', { type: 'private', user_id: ben.id });
      const peer = await personOf(ben);
      expect([made.status, made.body]).toEqual([201, fresh({ name: ben.name, peer, creator_id: ada.id })]);
      const again = await ada.post('/chats', { type: 'private', user_id: ben.id });
      expect([again.status, again.body]).toEqual([200, made.body]);
      const back = await ben.post('/chats', { type: 'private', user_id: ada.id });
      expect([back.status, back.body]).toEqual([200, { ...made.body, name: ada.name, peer: await personOf(ada) }]);
      expect(await viewOf(ben, made.body as Chat)).toEqual(back.body);
    });

    it('is created once by simultaneous requests', async () => {
      const [ada, ben] = await trio();
      const devices = await Promise.all([ada.device(), ben.device()]);
      const ask = (one: TestUser, other: TestUser) => one.post('/chats', { type: 'private', user_id: other.id });
      const asks = Array.from({ length: 20 }, (_, at) => (at % 2 ? ask(ada, ben) : ask(ben, ada)));
      const answers = await Promise.all(asks);
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(19).fill(200), 201]);
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
      await untilDelivered([ada, ben], devices);
      for (const device of devices) expect(receivedIn(device, answers[0]!.body as Chat)).toHaveLength(1);
      const made = `SELECT FROM chats WHERE type = 'private' AND creator_id IN ($1, $2)`;
      expect(await app.sql(made, [ada.id, ben.id])).toHaveLength(1);
    });

    it('shows a new name of the other user, and that their account is closed', async () => {
      const [ada, ben] = await trio();
      const chat = await ada.privateChat(ben);
      const device = await ada.device();
      // The chat is told a new name afterwards, which counts as one of its changes.
      const told = (name: string) => device.next('member:updated', ({ member }) => member.name === name);
      await ben.patch('/users/me', { name: 'Benedict' });
      await told('Benedict');
      expect(await viewOf(ada, chat)).toMatchObject({ name: 'Benedict', peer: await personOf(ben) });
      expect(await viewOf(ben, chat)).toMatchObject({ name: ada.name, peer: await personOf(ada) });
      await ben.request('DELETE', '/users/me', { password: PASSWORD });
      await told('Deleted account');
      expect(await viewOf(ada, chat)).toMatchObject({ name: 'Deleted account', peer: await personOf(ben) });
    });

    it('requires an existing user', async () => {
      const ada = await app.user();
      expectProblem(await ada.post('/chats', { type: 'private', user_id: NOWHERE }), 404, 'user_not_found');
      expect(await listOf(ada)).toEqual([]);
    });
  });

  describe('POST /chats', () => {
    it('creates a group owned by the caller', async () => {
      const [ada, ben, cara] = await trio();
      const body = { type: 'group', name: 'Engines 🧮', member_ids: [ben.id, cara.id] };
      const { status, body: group } = await ada.post<Chat>('/chats', body);
      const owned = {
        type: 'group',
        name: 'Engines 🧮',
        creator_id: ada.id,
        member_count: 3,
        my_role: 'owner',
      } as const;
      expect([status, group]).toEqual([201, fresh(owned)]);
      expect(await viewOf(cara, group)).toEqual({ ...group, my_role: 'member' });
      expect((await ben.get(`/groups/${group.id}`)).body).toEqual((await ben.get(`/chats/${group.id}`)).body);
    });

    it('creates a group without other members, and groups with equal names', async () => {
      const ada = await app.user();
      const make = () => ada.post<Chat>('/chats', { type: 'group', name: 'Me' });
      const [one, other] = [await make(), await make()];
      expect([one.status, one.body.member_count, other.status]).toEqual([201, 1, 201]);
      expect(one.body.id).not.toBe(other.body.id);
    });

    it('refuses a group with an unknown user', async () => {
      const [ada, ben] = await trio();
      const body = { type: 'group', name: 'x', member_ids: [ben.id, NOWHERE] };
      expectProblem(await ada.post('/chats', body), 404, 'user_not_found');
      expect([...(await listOf(ada)), ...(await listOf(ben))]).toEqual([]);
    });

    it.each<[string, unknown, string[]]>([
      ['no type', { user_id: 1 }, ['type']],
      ['another type', { type: 'channel', name: 'x' }, ['type']],
      ['a type of an object', { type: 'constructor' }, ['type']],
      ['no user', { type: 'private' }, ['user_id']],
      ['an id that is text', { type: 'private', user_id: '1' }, ['user_id']],
      ['half an id', { type: 'private', user_id: 1.5 }, ['user_id']],
      ['an id past 2^53', { type: 'private', user_id: 2 ** 53 }, ['user_id']],
      ['a private chat with a name', { type: 'private', user_id: 1, name: 'x' }, ['name']],
      ['a group without a name', { type: 'group' }, ['name']],
      ['a blank name', { type: 'group', name: '\u3000 ' }, ['name']],
      ['a name of 101 characters', { type: 'group', name: 'x'.repeat(101) }, ['name']],
      ['members that are no list', { type: 'group', name: 'x', member_ids: 1 }, ['member_ids']],
      ['the same member twice', { type: 'group', name: 'x', member_ids: [1, 1] }, ['member_ids']],
      ['a member who is no id', { type: 'group', name: 'x', member_ids: [0] }, ['member_ids']],
      ['501 members', { type: 'group', name: 'x', member_ids: [...Array(502).keys()].slice(1) }, ['member_ids']],
    ])('refuses %s', async (_, body, fields) => {
      expectProblem(await (await app.user()).post('/chats', body), 400, 'validation_failed', fields);
    });
  });

  it('counts unread messages for each member, and shows the last message', async () => {
    const [ada, ben, cara] = await trio();
    const group = await ada.group(ben, cara);
    const [, second, third] = [await ada.say(group), await ada.say(group), await ada.say(group)];
    const read = { last_seq: 3, last_read_seq: 3, unread_count: 0, read_by_all_seq: 0, last_message: third };
    expect(await viewOf(ada, group)).toMatchObject(read);
    expect(await viewOf(ben, group)).toMatchObject({ ...read, last_read_seq: 0, unread_count: 3 });

    await ben.post(`/messages/${second.id}/read`);
    await cara.post(`/messages/${third.id}/read`);
    expect(await viewOf(ben, group)).toMatchObject({ last_read_seq: 2, unread_count: 1, read_by_all_seq: 2 });
    expect(await viewOf(cara, group)).toMatchObject({ last_read_seq: 3, unread_count: 0, read_by_all_seq: 2 });

    const fourth = await ben.say(group);
    const moved = { last_seq: 4, read_by_all_seq: 3, last_message: fourth };
    expect(await viewOf(ben, group)).toMatchObject({ ...moved, last_read_seq: 4, unread_count: 0 });
    expect(await viewOf(ada, group)).toMatchObject({ ...moved, last_read_seq: 3, unread_count: 1 });

    for (const reader of [ada, cara]) await reader.post(`/messages/${fourth.id}/read`);
    expect(await viewOf(ada, group)).toMatchObject({ read_by_all_seq: 4, last_message: { ...fourth, is_read: true } });
  });

  describe('members', () => {
    it('are listed page by page, in the order they joined', async () => {
      const [ben, cara, ada] = (await trio()).sort((a, b) => a.id - b.id);
      const group = await ada.group();
      for (const user of [cara, ben]) await ada.put(`/groups/${group.id}/members/${user.id}`);
      const joined = { joined_at: expect.stringMatching(TIME), last_read_seq: 0 };
      const member = ({ id, name }: TestUser, role = 'member') => ({ user_id: id, name, role, ...joined });
      const all = [member(ada, 'owner'), member(cara), member(ben)];
      const page = async (query: string) => (await ben.get(`/chats/${group.id}/members${query}`)).body;
      expect(await page('')).toEqual(all);
      expect(await page('?limit=2')).toEqual(all.slice(0, 2));
      expect(await page('?limit=1&offset=1')).toEqual([all[1]]);
      expect(await page('?offset=3')).toEqual([]);
      expect((await ben.get(`/chats/${group.id}`)).body.members).toEqual(all);
      for (const query of ['limit=0', 'limit=101', 'offset=-1', 'offset=x']) {
        const answer = await ben.get(`/chats/${group.id}/members?${query}`);
        expectProblem(answer, 400, 'validation_failed', [query.split('=')[0]!]);
      }
    });

    it('are part of the chat, up to 100 of them', async () => {
      const ada = await app.user();
      const crowd = await app.sql<{ id: string }>(`INSERT INTO users (name, email, password_hash)
        SELECT 'Crowd', n || '@crowd.example.com', '' FROM generate_series(1, 149) n RETURNING id`);
      const body = { name: 'Crowd', member_ids: crowd.map(({ id }) => Number(id)) };
      const { body: group } = await ada.post<Chat>('/groups', body);
      const { body: chat } = await ada.get(`/chats/${group.id}`);
      expect([chat.member_count, chat.members.length]).toEqual([150, 100]);
      const { body: rest } = await ada.get<Member[]>(`/chats/${group.id}/members?offset=100`);
      const ids = [...(chat.members as Member[]), ...rest].map(({ user_id }) => user_id);
      expect(ids.sort()).toEqual([ada.id, ...body.member_ids].sort());
    });
  });

  it('are hidden from outsiders: a foreign chat is answered like an absent one', async () => {
    const [ada, ben, eve] = await trio();
    const asks: ((id: number) => Promise<Answer>)[] = [
      (id) => eve.get(`/chats/${id}`),
      (id) => eve.get(`/chats/${id}/members`),
      (id) => eve.get(`/messages/history/${id}`),
      (id) => eve.get(`/history/${id}`),
      (id) => eve.post('/messages', { chat_id: id, text: 'hello' }),
    ];
    for (const chat of [await ada.privateChat(ben), await ada.group(ben)]) {
      await ada.say(chat);
      for (const ask of asks) {
        const foreign = await ask(chat.id);
        expectProblem(foreign, 404, 'chat_not_found');
        expectSameAnswer(foreign, await ask(NOWHERE));
      }
    }
    expect(await listOf(eve)).toEqual([]);
    expectProblem(await eve.get('/chats/1x'), 400, 'validation_failed', ['id']);
  });

  it('are announced to every device of both users, to each in their own view', async () => {
    const [ada, ben, eve] = await trio();
    const { body: login } = await app.request('POST', '/login', { body: { email: ada.email, password: PASSWORD } });
    const adas = [await ada.device(), await app.connect(login.access_token as string, ['polling'])];
    const [bens, eves] = [[await ben.device(), await ben.device()], [await eve.device()]];
    const chat = await ada.privateChat(ben);
    const { body: group } = await ben.post<Chat>('/chats', { type: 'group', name: 'Engines', member_ids: [ada.id] });
    await untilDelivered([ada, ben, eve], [...adas, ...bens, ...eves]);
    const created = (payload: object) => [{ event: 'chat:created', payload }];
    for (const device of adas) expect(receivedIn(device, chat)).toEqual(created(chat));
    const ofBen = { ...chat, name: ada.name, peer: await personOf(ada) };
    for (const device of bens) expect(receivedIn(device, chat)).toEqual(created(ofBen));
    for (const device of adas) expect(receivedIn(device, group)).toEqual(created({ ...group, my_role: 'member' }));
    for (const device of bens) expect(receivedIn(device, group)).toEqual(created(group));
    for (const device of eves) expect(device.all('chat:created')).toHaveLength(1);
  });
});
