import { ErasureSweeper } from '../src/accounts/erasure.sweeper.js';
import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import { expectProblem } from './support/expect-problem.js';
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
});
