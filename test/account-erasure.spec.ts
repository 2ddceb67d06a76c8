import { ErasureSweeper } from '../src/accounts/erasure.sweeper.js';
import type { Message } from '../src/contract/messages.js';
import { createDatabase } from './support/database.js';
import { Device } from './support/device.js';
import { request } from './support/http.js';
import { inTemporaryFolder, ServerProcess } from './support/server-process.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

const close = (user: TestUser, password = PASSWORD) => user.request('DELETE', '/users/me', { password });
const history = async (user: TestUser, chat: { id: number }): Promise<Message[]> =>
  (await user.get<Message[]>(`/messages/history/${chat.id}?limit=100`)).body;

/** What happens after an account was closed: `ErasureSweeper` removes what it has left, step by step. */
describe('account erasure', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let carol: TestUser;

  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());
  beforeEach(async () => ([ada, bob, carol] = (await app.users(3)) as [TestUser, TestUser, TestUser]));

  describe('of several people', () => {
    const erasedAt = async ({ id }: TestUser): Promise<Date | null> =>
      (await app.sql<{ erased_at: Date | null }>('SELECT erased_at FROM users WHERE id = $1', [id]))[0]!.erased_at;

    it('erases one while the erasure of another, in thousands of groups, is under way', async () => {
      await app.sql(
        `WITH made AS (INSERT INTO chats (type, creator_id) SELECT 'group', $1 FROM generate_series(1, 4000) RETURNING id),
         named AS (INSERT INTO groups (chat_id, name, member_count) SELECT id, 'one of many', 2 FROM made)
         INSERT INTO chat_members (chat_id, user_id, role)
         SELECT id, unnest(ARRAY[$1::bigint, $2]), unnest(ARRAY['owner', 'member']) FROM made`,
        [ada.id, carol.id],
      );
      const { id } = await bob.say(await carol.group(bob));
      const device = await carol.device();
      await close(ada);
      void close(bob);
      await device.next('message:deleted', (message) => message.id === id);
      expect(await erasedAt(ada)).toBeNull();
    });

    it('is held up by no group that cannot be left, neither of the same person nor of another', async () => {
      const [stuck, group] = [await carol.group(ada, bob), await carol.group(ada, bob)];
      const said = [await ada.say(stuck), await ada.say(group), await bob.say(group)];
      await app.sql(`CREATE FUNCTION stick() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stuck'; END $$`);
      await app.sql(`CREATE TRIGGER stick BEFORE DELETE ON chat_members FOR EACH ROW
        WHEN (old.chat_id = ${stuck.id} AND old.user_id = ${ada.id}) EXECUTE FUNCTION stick()`);
      const device = await carol.device();
      await close(ada);
      await close(bob);
      await app.nest.get(ErasureSweeper).erase(bob.id);
      for (const { id } of said) await device.next('message:deleted', (message) => message.id === id);
      expect([await erasedAt(ada), await erasedAt(bob)]).toEqual([null, expect.any(Date)]);
      await app.sql('DROP TRIGGER stick ON chat_members');
      await device.next('member:removed', ({ chat_id, member }) => chat_id === stuck.id && member.user_id === ada.id);
    });
  });

  it('leaves nothing behind when requests of the user race it on two nodes', async () => {
    const other = await TestApp.start({ databaseUrl: app.databaseUrl });
    const there = await other.login(ada);
    const [group, chat] = [await bob.group(ada), await ada.privateChat(bob)];
    const work = [ada, there].flatMap((user) =>
      [group, chat].flatMap(({ id }) =>
        Array.from({ length: 8 }, () => user.post('/messages', { chat_id: id, text: 'One more' })),
      ),
    );
    const joining = [bob.group(ada), bob.group(ada), there.group(bob), carol.privateChat(ada)];
    expect((await close(ada)).status).toBe(204);
    const statuses = (await Promise.all(work)).map(({ status }) => status);
    expect(statuses.filter((status) => ![201, 401, 403, 404].includes(status))).toEqual([]);
    await Promise.all(joining);
    await other.close();
    for (const place of [group, chat]) {
      const messages = await history(bob, place);
      expect(messages.map(({ seq, text }) => [seq, text])).toEqual(messages.map((_, index) => [index + 1, null]));
    }
    const memberships = await app.sql(
      `SELECT c.type FROM chat_members m JOIN chats c ON c.id = m.chat_id WHERE m.user_id = $1 AND c.type = 'group'`,
      [ada.id],
    );
    expect(memberships).toEqual([]);
  });

  it('is completed by another node when the node that started it is gone', async () => {
    const group = await bob.group(ada);
    const { id } = await ada.say(group);
    const device = await bob.device();
    // The state that a crash right after the commit leaves.
    await app.sql('UPDATE users SET email = NULL, password_hash = NULL, closed_at = now() WHERE id = $1', [ada.id]);
    await device.next('message:deleted', (message) => message.id === id);
    await device.next('member:removed', ({ chat_id, member }) => chat_id === group.id && member.user_id === ada.id);
  });

  it('is completed after a crash', async () => {
    const COUNT = 1_500;
    const database = await createDatabase();
    const env = { DATABASE_URL: database.url, JWT_SECRET: 'a secret of the tests, long enough', LOG_LEVEL: 'silent' };
    const chatId = await inTemporaryFolder(async (dir) => {
      const server = ServerProcess.start(dir, { ...env, RATE_LIMIT: 'off' });
      const url = await server.url();
      const enter = async (email: string) => {
        await request(url, 'POST', '/auth/register', { body: { name: email, email, password: PASSWORD } });
        const login = { username: email, password: PASSWORD };
        const { body: tokens } = await request(url, 'POST', '/auth/login', { body: login });
        return tokens.access_token as string;
      };
      const [leaving, staying] = [await enter('leaving@example.com'), await enter('staying@example.com')];
      const { body: me } = await request(url, 'GET', '/auth/me', { token: leaving });
      const group = await request(url, 'POST', '/groups', { token: staying, body: { name: 'G', member_ids: [me.id] } });
      const chat_id = group.body.id as number;
      const writer = await Device.connect(url, leaving);
      const sends = Array.from({ length: COUNT }, (_, index) => ({
        chat_id,
        text: 'Hello',
        client_message_id: `${index}`,
      }));
      while (sends.length > 0) {
        await Promise.all(sends.splice(0, 500).map((send) => writer.command('message:send', send)));
      }
      const witness = await Device.connect(url, staying);
      void request(url, 'DELETE', '/users/me', { token: leaving, body: { password: PASSWORD } }).catch(() => undefined);
      await witness.next('message:deleted');
      await server.stop('SIGKILL');
      writer.close();
      witness.close();
      return chat_id;
    });
    const next = await TestApp.start({ databaseUrl: database.url });
    const login = { username: 'staying@example.com', password: PASSWORD };
    const { body: tokens } = await next.request('POST', '/auth/login', { body: login });
    const device = await next.connect(tokens.access_token as string);
    const left = await next.sql('SELECT 1 FROM messages WHERE text IS NOT NULL');
    expect(left.length).toBeGreaterThan(0);
    for (let seq = COUNT / 2; seq <= COUNT; seq += 50) {
      const isErased = (message: Message): boolean => message.chat_id === chatId && message.seq === seq;
      if (seq > COUNT - left.length) expect((await device.next('message:deleted', isErased)).text).toBeNull();
    }
    const page = await next.request<Message[]>('GET', `/messages/history/${chatId}?before_seq=${COUNT}&limit=100`, {
      token: tokens.access_token as string,
    });
    expect(page.body.map(({ text }) => text)).toEqual(page.body.map(() => null));
    expect(page.headers.get('x-total-count')).toBe(String(COUNT));
    expect(await next.sql('SELECT 1 FROM messages WHERE text IS NOT NULL')).toEqual([]);
    await next.close();
    await database.drop();
  }, 60_000);
});
