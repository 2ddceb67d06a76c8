import { ErasureSweeper } from '../src/accounts/erasure.sweeper.js';
import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import { createDatabase } from './support/database.js';
import { Device } from './support/device.js';
import { expectProblem } from './support/expect-problem.js';
import { request } from './support/http.js';
import { inTemporaryFolder, ServerProcess } from './support/server-process.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

const close = (user: TestUser, password = PASSWORD) => user.request('DELETE', '/users/me', { password });
const history = async (user: TestUser, chat: { id: number }): Promise<Message[]> =>
  (await user.get<Message[]>(`/messages/history/${chat.id}?limit=100`)).body;

describe('account closure', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let carol: TestUser;

  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());
  beforeEach(async () => ([ada, bob, carol] = (await app.users(3)) as [TestUser, TestUser, TestUser]));

  it('needs the password, and changes nothing with a wrong one', async () => {
    expectProblem(await close(ada, 'battery staple'), 400, 'validation_failed', ['password']);
    expectProblem(await ada.delete('/users/me'), 400, 'validation_failed');
    expect((await ada.get('/auth/me')).body).toMatchObject({ name: ada.name, email: ada.email });
  });

  it('ends all sessions, disconnects the sockets and refuses logins', async () => {
    const [phone, other] = [await ada.device(), await app.login(ada)];
    const cut = phone.disconnected();
    expect((await close(ada)).status).toBe(204);
    expect(await cut).toBe('io server disconnect');
    expect(phone.all('session:revoked')).toEqual([{}]);
    for (const session of [ada, other]) expectProblem(await session.get('/auth/me'), 401, 'unauthorized');
    const refresh = await app.request('POST', '/auth/refresh', { body: { refresh_token: other.refreshToken } });
    expectProblem(refresh, 401, 'unauthorized');
    const login = await app.request('POST', '/auth/login', { body: { username: ada.email, password: PASSWORD } });
    expectProblem(login, 401, 'invalid_credentials');
  });

  it('removes the name and the email, which is free for another account', async () => {
    await close(ada);
    expect((await bob.get(`/users/${ada.id}`)).body).toMatchObject({ id: ada.id, name: 'Deleted account' });
    for (const query of [ada.email, 'deleted']) expect((await bob.get(`/users?query=${query}`)).body).toEqual([]);
    const body = { name: 'Another one', email: ada.email, password: PASSWORD };
    const again = await app.request('POST', '/auth/register', { body });
    expect(again.status).toBe(201);
    expect(again.body.id).not.toBe(ada.id);
    const [row] = await app.sql('SELECT * FROM users WHERE id = $1', [ada.id]);
    expect(row).toMatchObject({ email: null, password_hash: null, erased_at: expect.any(Date) });
  });

  it('passes group ownership on, and deletes groups without other members', async () => {
    const [alone, group] = [await ada.group(), await ada.group(bob, carol)];
    await ada.patch(`/groups/${group.id}/members/${carol.id}`, { role: 'admin' });
    await ada.say(group);
    const device = await bob.device();
    await close(ada);
    const removed = await device.next('member:removed', ({ chat_id }) => chat_id === group.id);
    expect(removed.member.user_id).toBe(ada.id);
    const seen = (await bob.get(`/groups/${group.id}`)).body;
    expect(seen.members.map(({ user_id, role }: any) => [user_id, role])).toEqual([
      [bob.id, 'member'],
      [carol.id, 'owner'],
    ]);
    expect(seen).toMatchObject({ member_count: 2, last_seq: 1 });
    expect(await app.sql('SELECT 1 FROM groups WHERE chat_id = $1', [alone.id])).toEqual([]);
  });

  it('turns the messages into tombstones, also in chats the user has left', async () => {
    const [group, left] = [await bob.group(ada, carol), await bob.group(ada)];
    const chat = await ada.privateChat(bob);
    const said: Message[] = [];
    for (const place of [group, left, chat]) for (const user of [ada, bob, ada]) said.push(await user.say(place));
    await ada.delete(`/groups/${left.id}/members/${ada.id}`);
    const before = (await bob.get<Chat>(`/chats/${group.id}`)).body;
    const device = await bob.device();
    await close(ada);
    for (const { id } of said.filter(({ sender_id }) => sender_id === ada.id)) {
      await device.next('message:deleted', (message) => message.id === id && message.text === null);
    }
    for (const place of [group, left, chat]) {
      const messages = await history(bob, place);
      expect(messages.map(({ seq, text }) => [seq, text === null])).toEqual([
        [1, true],
        [2, false],
        [3, true],
      ]);
    }
    const after = (await bob.get<Chat>(`/chats/${group.id}`)).body;
    const { last_seq, unread_count, last_read_seq } = before;
    // Two tombstones and the end of one membership.
    expect(after).toMatchObject({ last_seq, unread_count, last_read_seq, last_change_seq: before.last_change_seq + 3 });
    const cursors = { [group.id]: { seq: 3, change_seq: before.last_change_seq } };
    const { body: news } = await bob.post('/sync', { cursors, after_chat_id: group.id - 1, limit: 500 });
    const changed = news.chats.find(({ id }: Chat) => id === group.id).messages as Message[];
    expect(changed.map(({ seq, text }) => [seq, text])).toEqual([
      [1, null],
      [3, null],
    ]);
  });

  it('leaves no hash by which a text could be guessed, edited and deleted texts included', async () => {
    const group = await bob.group(ada);
    const [edited, deleted] = [await ada.say(group), await ada.say(group), await ada.say(group)];
    await ada.patch(`/messages/${edited.id}`, { text: 'better' });
    await ada.delete(`/messages/${deleted.id}`);
    const bobs = await bob.say(group);
    await bob.delete(`/messages/${bobs.id}`);
    await close(ada);
    const hashed = 'SELECT id FROM messages WHERE chat_id = $1 AND (sent_hash IS NOT NULL OR text IS NOT NULL)';
    expect(await app.sql(hashed, [group.id])).toEqual([{ id: bobs.id }]);
  });

  it('leaves nothing in the database that tells who it was', async () => {
    const eve = await app.user('Evelyn Unmistakable');
    const [expired, ended] = [await app.login(eve), await app.login(eve)];
    await app.sql(`UPDATE sessions SET user_agent = 'Phone of Evelyn', address = '203.0.113.9' WHERE user_id = $1`, [
      eve.id,
    ]);
    await app.sql('UPDATE sessions SET expires_at = now() WHERE id = $1', [expired.sessionId]);
    expect((await ended.post('/auth/logout')).status).toBe(204);
    const group = await bob.group();
    const membership = `/groups/${group.id}/members/${eve.id}`;
    await bob.put(membership);
    await bob.patch(membership, { role: 'admin' });
    await bob.delete(membership);
    expect((await bob.put(membership)).status).toBe(200);
    expect((await eve.put(`/users/${carol.id}/block`)).status).toBe(204);
    const message = await eve.say(await eve.privateChat(bob), 'Something that only Evelyn could say');
    await eve.patch(`/messages/${message.id}`, { text: 'Something that Evelyn said better' });
    expect((await close(eve)).status).toBe(204);
    await app.nest.get(ErasureSweeper).erase(eve.id);
    const tables = await app.sql<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
    );
    for (const { name } of tables) {
      const rows = await app.sql(
        `SELECT t::text AS row FROM "${name}" t WHERE t::text ~* 'evelyn' OR position($1 IN t::text) > 0`,
        [eve.email],
      );
      expect([name, rows]).toEqual([name, []]);
    }
    const sessions = await app.sql('SELECT DISTINCT user_agent, address FROM sessions WHERE user_id = $1', [eve.id]);
    expect(sessions).toEqual([{ user_agent: null, address: '' }]);
    expect(await app.sql('SELECT FROM blocks WHERE blocker_id = $1', [eve.id])).toEqual([]);
  });

  it('leaves the private chats readable to the other users', async () => {
    const chat = await ada.privateChat(bob);
    await bob.say(chat);
    await bob.put(`/users/${ada.id}/block`);
    await close(ada);
    expect((await bob.get(`/chats/${chat.id}`)).body).toMatchObject({
      name: 'Deleted account',
      member_count: 2,
      last_seq: 1,
    });
    expectProblem(await bob.post('/messages', { chat_id: chat.id, text: 'Hello?' }), 403, 'blocked');
    expectProblem(await bob.delete(`/users/${ada.id}/block`), 404, 'user_not_found');
    expectProblem(await bob.post('/messages', { chat_id: chat.id, text: 'Hello?' }), 403, 'blocked');
    expect((await bob.get('/users/blocked')).body).toEqual([]);
  });

  it('makes the user unavailable for new chats, groups and messages', async () => {
    const group = await bob.group();
    await close(ada);
    const answers = [
      await bob.post('/chats', { type: 'private', user_id: ada.id }),
      await bob.post('/groups', { name: 'A group', member_ids: [ada.id] }),
      await bob.put(`/groups/${group.id}/members/${ada.id}`),
      await bob.put(`/users/${ada.id}/block`),
    ];
    for (const answer of answers) expectProblem(answer, 404, 'user_not_found');
  });

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
        const body = { name: email, email, password: PASSWORD, username: email };
        await request(url, 'POST', '/auth/register', { body: { name: body.name, email, password: PASSWORD } });
        const { body: tokens } = await request(url, 'POST', '/auth/login', {
          body: { username: email, password: PASSWORD },
        });
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

describe('account export', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  it('holds everything stored about the user, and no messages of others', async () => {
    const [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
    await app.login(ada);
    const [left, group, chat] = [await bob.group(ada), await ada.group(bob), await ada.privateChat(bob)];
    const said = [await ada.say(left), await ada.say(group), await ada.say(chat), await ada.say(group)];
    for (const place of [left, group, chat]) await bob.say(place, 'A word of Bob');
    await ada.delete(`/messages/${said[1]!.id}`);
    await ada.delete(`/groups/${left.id}/members/${ada.id}`);
    await ada.put(`/users/${bob.id}/block`);
    const { status, headers, body } = await ada.get('/users/me/export');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(headers.get('content-disposition')).toMatch(/^attachment/);
    expect(body.account).toEqual((await ada.get('/auth/me')).body);
    expect(body.sessions).toEqual((await ada.get('/auth/sessions')).body);
    expect(body.sessions).toHaveLength(2);
    expect(body.blocked).toEqual((await ada.get('/users/blocked')).body);
    expect(body.chats).toMatchObject([
      { chat_id: group.id, type: 'group', name: group.name, role: 'owner', last_read_seq: 2 },
      { chat_id: chat.id, type: 'private', name: bob.name, role: 'member', last_read_seq: 1 },
    ]);
    const shown = (body.messages as Message[]).map(({ id, text }) => [id, text]);
    const [first, second, third, fourth] = said;
    expect(shown).toEqual([
      [first!.id, first!.text],
      [second!.id, null],
      [fourth!.id, fourth!.text],
      [third!.id, third!.text],
    ]);
    expect(JSON.stringify(body)).not.toMatch(/A word of Bob|argon2|hash/);
  });

  it('is complete, however large it is', async () => {
    const [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
    const chat = await ada.privateChat(bob);
    const [hers, his] = [await ada.device(), await bob.device()];
    for (let round = 0; round < 6; round += 1) {
      const sends = Array.from({ length: 500 }, (_, index) => ({
        chat_id: chat.id,
        text: 'x'.repeat(200),
        client_message_id: `${round}-${index}`,
      }));
      await Promise.all(sends.map((send, index) => (index % 5 === 0 ? his : hers).command('message:send', send)));
    }
    const { messages } = (await ada.get('/users/me/export')).body as { messages: Message[] };
    expect(messages).toHaveLength(2_400);
    expect(new Set(messages.map(({ sender_id }) => sender_id))).toEqual(new Set([ada.id]));
    const seqs = messages.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((one, other) => one - other));
  });
});
