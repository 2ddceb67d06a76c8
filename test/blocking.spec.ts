import type { Chat, NewGroup } from '../src/contract/chats.js';
import { untilDelivered } from './support/received-events.js';
import { expectProblem } from './support/expect-problem.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('blocking', () => {
  let app: TestApp;
  let other: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let chat: Chat;

  beforeAll(async () => {
    app = await TestApp.start();
    other = await TestApp.start({ databaseUrl: app.databaseUrl });
  });
  afterAll(async () => {
    await other.close();
    await app.close();
  });
  beforeEach(async () => {
    [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
    chat = await ada.privateChat(bob);
  });

  const block = (who: TestUser, whom: { id: number }) => who.put(`/users/${whom.id}/block`);
  const unblock = (who: TestUser, whom: { id: number }) => who.delete(`/users/${whom.id}/block`);
  const send = (who: TestUser, text = 'Hello', client_message_id?: string) =>
    who.post('/messages', { chat_id: chat.id, text, client_message_id });

  it('lists the users that the caller has blocked, latest first', async () => {
    const [one, two] = (await app.users(2)) as [TestUser, TestUser];
    for (const whom of [bob, one, two, one]) expect((await block(ada, whom)).status).toBe(204);
    await block(bob, ada);
    const shown = (await ada.get('/users/blocked')).body;
    expect(shown).toEqual([two, one, bob].map(({ id, name }) => ({ id, name, created_at: expect.any(String) })));
    expect((await ada.get('/users/blocked?limit=1&offset=1')).body).toEqual([shown[1]]);
    await unblock(ada, one);
    expect((await ada.get('/users/blocked')).body).toEqual([shown[0], shown[2]]);
    expectProblem(await ada.get('/users/blocked?limit=0'), 400, 'validation_failed', ['limit']);
  });

  it('requires an existing user other than the caller', async () => {
    expectProblem(await block(ada, ada), 400, 'validation_failed', ['id']);
    expectProblem(await block(ada, { id: 2 ** 53 - 1 }), 404, 'user_not_found');
    expectProblem(await unblock(ada, { id: 2 ** 53 - 1 }), 404, 'user_not_found');
    expect((await unblock(ada, bob)).status).toBe(204);
  });

  it('stops messages in both directions, over REST and sockets, until the block is removed', async () => {
    const [hers, his] = [await ada.device(), await bob.device()];
    await block(ada, bob);
    for (const [who, device] of [
      [ada, hers],
      [bob, his],
    ] as const) {
      expectProblem(await send(who), 403, 'blocked');
      const command = { chat_id: chat.id, text: 'Hello', client_message_id: 'key' };
      expect(await device.command('message:send', command)).toMatchObject({
        error: { code: 'blocked', retryable: false },
      });
    }
    expect((await ada.get(`/chats/${chat.id}`)).body.last_seq).toBe(0);
    await unblock(ada, bob);
    expect((await send(bob)).body.seq).toBe(1);
    expect((await send(ada)).body.seq).toBe(2);
  });

  it('lasts until both users have removed their blocks', async () => {
    await Promise.all([block(ada, bob), block(bob, ada)]);
    await unblock(ada, bob);
    expectProblem(await send(ada), 403, 'blocked');
    await unblock(bob, ada);
    expect((await send(ada)).status).toBe(201);
  });

  it('prevents a new private chat, and leaves an existing one readable', async () => {
    const carol = await app.user();
    await block(carol, bob);
    for (const [who, whom] of [
      [bob, carol],
      [carol, bob],
    ] as const) {
      expectProblem(await who.post('/chats', { type: 'private', user_id: whom.id }), 403, 'blocked');
    }
    const message = await ada.say(chat);
    await block(ada, bob);
    expect((await bob.post('/chats', { type: 'private', user_id: ada.id })).body.id).toBe(chat.id);
    expect((await bob.get(`/messages/history/${chat.id}`)).body).toHaveLength(1);
    expect((await bob.post(`/messages/${message.id}/read`)).body.is_read).toBe(true);
  });

  it('stops edits, and allows deletions', async () => {
    const message = await bob.say(chat);
    await block(ada, bob);
    expectProblem(await bob.patch(`/messages/${message.id}`, { text: 'Something else' }), 403, 'blocked');
    const edit = { message_id: message.id, text: 'Something else' };
    expect(await (await bob.device()).command('message:edit', edit)).toMatchObject({ error: { code: 'blocked' } });
    expect((await bob.delete(`/messages/${message.id}`)).body.text).toBeNull();
  });

  it('answers a replay of a message sent before the block', async () => {
    const [sent] = [await send(bob, 'Hello', 'key')];
    await block(ada, bob);
    const again = await send(bob, 'Hello', 'key');
    expect([again.status, again.body]).toEqual([200, sent.body]);
    expectProblem(await send(bob, 'Goodbye', 'key'), 409, 'client_message_id_conflict');
  });

  it('is not announced to the blocked user, and stops typing events', async () => {
    const [hers, his] = [await ada.device(), await bob.device()];
    await block(ada, bob);
    expect(await his.command('typing', { chat_id: chat.id, is_typing: true })).toEqual({ ok: true, data: {} });
    await untilDelivered([ada, bob], [hers, his]);
    const heard = [...hers.received, ...his.received].map(({ event }) => event);
    expect(heard.filter((event) => !/^(chat|member):/.test(event))).toEqual([]);
    expect((await bob.get(`/users/${ada.id}`)).body).toMatchObject({ id: ada.id, name: ada.name });
  });

  it('does not affect groups that both are in', async () => {
    const group = await ada.group(bob);
    await block(ada, bob);
    expect((await bob.say(group)).seq).toBe(1);
    expect((await ada.say(group)).seq).toBe(2);
  });

  const add = (who: TestUser, group: { id: number }, whom: TestUser) =>
    who.put(`/groups/${group.id}/members/${whom.id}`);
  const groupOf = async (who: TestUser, ...others: TestUser[]): Promise<NewGroup> =>
    (await who.post<NewGroup>('/groups', { name: 'A group', member_ids: others.map(({ id }) => id) })).body;

  it('keeps the blocked user from adding the blocker to groups, and not the blocker', async () => {
    const carol = await app.user();
    await block(ada, bob);
    const group = await groupOf(bob, ada, carol);
    expect(group).toMatchObject({ member_count: 2, left_out_ids: [ada.id] });
    expectProblem(await add(bob, group, ada), 403, 'blocked');
    expectProblem(await bob.post(`/groups/${group.id}/add_user/${ada.id}`), 403, 'blocked');
    const chat = await bob.post<NewGroup>('/chats', { type: 'group', name: 'A group', member_ids: [ada.id] });
    expect(chat.body).toMatchObject({ member_count: 1, left_out_ids: [ada.id] });
    const other = await groupOf(ada, bob);
    expect([other.member_count, other.left_out_ids]).toEqual([2, undefined]);
    await unblock(ada, bob);
    expect((await add(bob, group, ada)).status).toBe(200);
  });

  it('refuses every addition by the blocked user once it is answered', async () => {
    const there = await other.login(bob);
    for (let round = 0; round < 10; round += 1) {
      const groups = await Promise.all(Array.from({ length: 6 }, () => groupOf(bob)));
      const answers = groups.map((group, index) => add(index % 2 ? bob : there, group, ada));
      expect((await block(ada, bob)).status).toBe(204);
      const memberships = async () =>
        (await ada.get<Chat[]>('/chats?limit=100')).body.map(({ id }) => id).sort((one, two) => one - two);
      const before = await memberships();
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      expect(new Set([...statuses, 200, 403])).toEqual(new Set([200, 403]));
      expect(await memberships()).toEqual(before);
      await unblock(ada, bob);
    }
  });

  it('has a milder form: a user is added to groups only by those to whom they have written', async () => {
    const carol = await app.user();
    const set = (addable_by: string) => ada.patch('/users/me', { addable_by });
    expect((await ada.get('/auth/me')).body.addable_by).toBe('everybody');
    const { status, body } = await set('correspondents');
    expect([status, body.addable_by]).toEqual([200, 'correspondents']);
    await send(bob);
    const group = await groupOf(bob, ada, carol);
    expect(group).toMatchObject({ member_count: 2, left_out_ids: [ada.id] });
    expectProblem(await add(bob, group, ada), 403, 'forbidden');
    await send(ada);
    expect((await add(bob, group, ada)).status).toBe(200);
    expect((await groupOf(carol, ada)).left_out_ids).toEqual([ada.id]);
    await set('everybody');
    expect((await groupOf(carol, ada)).left_out_ids).toBeUndefined();
    expectProblem(await set('nobody'), 400, 'validation_failed', ['addable_by']);
  });

  it('refuses every send on two nodes once it is answered', async () => {
    const there = await other.login(bob);
    for (let round = 0; round < 10; round += 1) {
      const answers = [bob, there].flatMap((who) => Array.from({ length: 8 }, () => send(who)));
      expect((await block(ada, bob)).status).toBe(204);
      const { last_seq } = (await ada.get(`/chats/${chat.id}`)).body;
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      expect(new Set([...statuses, 201, 403])).toEqual(new Set([201, 403]));
      const after = (await ada.get(`/chats/${chat.id}`)).body;
      expect(after.last_seq).toBe(last_seq);
      await unblock(ada, bob);
    }
    const history = (await ada.get(`/messages/history/${chat.id}?limit=100`)).body as { seq: number }[];
    expect(history.map(({ seq }) => seq)).toEqual(history.map((_, index) => index + 1));
  });

  it('refuses every new private chat once it is answered', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [one, two] = (await app.users(2)) as [TestUser, TestUser];
      const there = await other.login(two);
      const made = there.post('/chats', { type: 'private', user_id: one.id });
      expect((await block(one, two)).status).toBe(204);
      const chats = (await one.get('/chats')).body as Chat[];
      const { status, body } = await made;
      expect([201, 403]).toContain(status);
      expect((await one.get('/chats')).body).toEqual(chats);
      if (status === 201)
        expectProblem(await two.post('/messages', { chat_id: body.id, text: 'Hello' }), 403, 'blocked');
    }
  });
});
