import type { Chat } from '../src/contract/chats.js';
import { expectProblem } from './support/expect-problem.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('list of chats', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  const listOf = async (user: TestUser, query = ''): Promise<Chat[]> => (await user.get<Chat[]>(`/chats${query}`)).body;

  it('sorts by latest activity: the last message or the creation of the chat', async () => {
    const [ada, ben] = (await app.users(2)) as [TestUser, TestUser];
    /** The list may be a second behind the messages. */
    const isOrder = async (user: TestUser, ...chats: Chat[]): Promise<void> => {
      const ids = async () => JSON.stringify((await listOf(user)).map(({ id }) => id));
      const [expected, deadline] = [JSON.stringify(chats.map(({ id }) => id)), Date.now() + 10_000];
      while ((await ids()) !== expected && Date.now() < deadline);
      expect(await ids()).toBe(expected);
    };
    const [one, two, three] = [await ada.privateChat(ben), await ada.group(ben), await ada.group()];
    await isOrder(ada, three, two, one);
    await ben.say(one);
    await ada.say(two);
    await isOrder(ada, two, one, three);
    await isOrder(ben, two, one);
    await ada.say(one);
    await isOrder(ben, one, two);
  });

  it('pages without gaps or repeats, also among chats with equal activity times', async () => {
    const [ada, ben] = (await app.users(2)) as [TestUser, TestUser];
    const chats = await Promise.all(Array.from({ length: 11 }, () => ada.group(ben)));
    const tied = chats.slice(2, 9).map(({ id }) => id);
    await app.sql(`UPDATE chat_members SET active_at = '2025-04-08T12:00:00.123Z' WHERE chat_id = ANY($1)`, [tied]);
    const whole = await listOf(ada);
    expect(whole.map(({ id }) => id).sort()).toEqual(chats.map(({ id }) => id).sort());

    for (const limit of [1, 3, 4, 11]) {
      const walked: Chat[] = [];
      let page = await listOf(ada, `?limit=${limit}`);
      while (page.length > 0 && walked.length < 20) {
        walked.push(...page);
        page = await listOf(ada, `?limit=${limit}&before=${page.at(-1)!.activity_cursor}`);
      }
      expect(walked).toEqual(whole);
    }
  });

  it('moves the chat of a message that a crashed node has stored to the top', async () => {
    const ada = await app.user();
    const [one, two] = [await ada.group(), await ada.group()];
    await app.sql(
      'SELECT append_messages(ARRAY[$1::bigint], ARRAY[$2::bigint], ARRAY[$3], ARRAY[$3], ARRAY[NULL::bigint])',
      [one.id, ada.id, 'The last words of a node'],
    );
    expect((await listOf(ada)).map(({ id }) => id)).toEqual([two.id, one.id]);
    const node = await TestApp.start({ databaseUrl: app.databaseUrl });
    await node.close();
    expect((await listOf(ada)).map(({ id }) => id)).toEqual([one.id, two.id]);
  });

  it('continues a page correctly while chats move to the top', async () => {
    const ada = await app.user();
    for (let made = 0; made < 6; made += 1) await ada.group();
    const before = (await listOf(ada)).map(({ id }) => id);
    const first = await listOf(ada, '?limit=3');
    await ada.say(first[1]!);
    await ada.group();
    const rest = await listOf(ada, `?before=${first[2]!.activity_cursor}`);
    expect([...first, ...rest].map(({ id }) => id)).toEqual(before);
  });

  it('refuses invalid page parameters', async () => {
    const ada = await app.user();
    const refused = async (field: string, value: string): Promise<void> =>
      expectProblem(await ada.get(`/chats?${field}=${value}`), 400, 'validation_failed', [field]);
    for (const limit of ['0', '101', '-1', 'ten', '1.5', '']) await refused('limit', limit);
    const cursors = ['abc', '', '1', '1-0', '-1-1', '1-1-1', '1-9999999999999999', "1-1'", '1-1&before=1-1'];
    for (const before of cursors) await refused('before', before);
    await refused('offset', '1');
  });
});
