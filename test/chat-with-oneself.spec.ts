import { ErasureSweeper } from '../src/accounts/erasure.sweeper.js';
import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import type { News } from '../src/contract/sync.js';
import { expectProblem } from './support/expect-problem.js';
import { PlainClient } from './support/plain-client.js';
import { receivedIn, untilDelivered } from './support/received-events.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

/** A private chat with oneself, for notes. */
describe('a chat with oneself', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());
  beforeEach(async () => ([ada, bob] = (await app.users(2)) as [TestUser, TestUser]));

  const open = () => ada.post<Chat>('/chats', { type: 'private', user_id: ada.id });
  const notes = (): Promise<Chat> => ada.privateChat(ada);
  const viewOf = async ({ id }: { id: number }, user = ada): Promise<Chat> => {
    await app.writeActivity();
    const { members, ...chat } = (await user.get(`/chats/${id}`)).body;
    expect(members).toHaveLength(chat.member_count as number);
    expect((await user.get<Chat[]>('/chats')).body.find((one) => one.id === id)).toEqual(chat);
    return chat as Chat;
  };
  const history = async ({ id }: Chat): Promise<Message[]> =>
    (await ada.get<Message[]>(`/messages/history/${id}`)).body;

  it('is opened once; the one member is the peer, and it has their name', async () => {
    const [phone, laptop] = [await ada.device(), await (await app.login(ada)).device(['polling'])];
    const made = await open();
    expect([made.status, made.body]).toMatchObject([
      201,
      { type: 'private', name: ada.name, creator_id: ada.id, member_count: 1, my_role: 'member', last_seq: 0 },
    ]);
    const { body: person } = await bob.get(`/users/${ada.id}`);
    expect(made.body.peer).toEqual(person);
    const again = await open();
    expect([again.status, again.body]).toEqual([200, made.body]);
    expect(await viewOf(made.body)).toEqual(made.body);
    const { members } = (await ada.get(`/chats/${made.body.id}`)).body;
    expect(members).toMatchObject([{ user_id: ada.id, name: ada.name, role: 'member' }]);
    expect((await ada.get(`/chats/${made.body.id}/members`)).body).toEqual(members);
    await untilDelivered([ada], [phone, laptop]);
    const created = [{ event: 'chat:created', payload: made.body }];
    for (const device of [phone, laptop]) expect(receivedIn(device, made.body)).toEqual(created);
    await ada.patch('/users/me', { name: 'Countess' });
    await phone.next('member:updated');
    expect(await viewOf(made.body)).toMatchObject({ name: 'Countess', peer: { id: ada.id, name: 'Countess' } });
  });

  it('is opened once by simultaneous requests', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, open));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(19).fill(200), 201]);
    const [chat] = answers.map(({ body }) => body) as [Chat];
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(await app.sql(`SELECT FROM chats WHERE creator_id = $1`, [ada.id])).toHaveLength(1);
    expect(await app.sql(`SELECT FROM chat_members WHERE chat_id = $1`, [chat.id])).toHaveLength(1);
  });

  it('is one of its own beside the chats with others, and hidden from them', async () => {
    const [chat, pair] = [await notes(), await ada.privateChat(bob)];
    expect(pair.id).not.toBe(chat.id);
    expect([(await notes()).id, (await bob.privateChat(ada)).id]).toEqual([chat.id, pair.id]);
    expect((await bob.privateChat(bob)).id).not.toBe(chat.id);
    expectProblem(await bob.get(`/chats/${chat.id}`), 404, 'chat_not_found');
    expectProblem(await bob.post('/messages', { chat_id: chat.id, text: 'x' }), 404, 'chat_not_found');
  });

  it('delivers each message to all devices of the person, by REST, socket and plain WebSocket', async () => {
    const chat = await notes();
    const [phone, laptop] = [await ada.device(), await (await app.login(ada)).device()];
    const plain = await PlainClient.open(app.url, `/ws/${chat.id}?token=${ada.token}`);
    const first = await ada.say(chat);
    const ack = await phone.command('message:send', { chat_id: chat.id, text: 'two', client_message_id: 'k' });
    expect(ack).toMatchObject({ ok: true, data: { seq: 2, sender_id: ada.id } });
    plain.send({ text: 'three', client_message_id: 'l' });
    for (const device of [phone, laptop]) await device.next('message:created', ({ seq }) => seq === 3);
    const all = await history(chat);
    expect(all.map(({ seq, text }) => [seq, text])).toEqual([
      [1, first.text],
      [2, 'two'],
      [3, 'three'],
    ]);
    for (const device of [phone, laptop]) {
      expect(receivedIn(device, chat)).toEqual(all.map((payload) => ({ event: 'message:created', payload })));
    }
    plain.socket.close();
  });

  it('has nothing unread, and all read, as a group of one', async () => {
    const [chat, group] = [await notes(), await ada.group()];
    const device = await ada.device();
    const marks = async (one: Chat) => {
      const [message, other] = [await ada.say(one, 'one'), await ada.say(one, 'two')];
      const { body: receipt } = await ada.post(`/messages/${other.id}/read`);
      const { body: readers } = await ada.get(`/messages/${message.id}/readers`);
      const typing = await device.command('typing', { chat_id: one.id, is_typing: true });
      const { unread_count, last_seq, last_read_seq, read_by_all_seq, last_message } = await viewOf(one);
      const { is_read } = (await history(one))[0]!;
      const { seq, is_read: receipted } = receipt;
      const said = [message.is_read, is_read, last_message!.is_read, seq, receipted, readers, typing];
      return { said, unread_count, last_seq, last_read_seq, read_by_all_seq };
    };
    const ofNotes = await marks(chat);
    expect(ofNotes).toMatchObject({ unread_count: 0, last_seq: 2, last_read_seq: 2, read_by_all_seq: 2 });
    expect(ofNotes.said.slice(1, 3)).toEqual([true, true]);
    expect(ofNotes).toEqual(await marks(group));
    await untilDelivered([ada], [device]);
    const events = (one: Chat) => receivedIn(device, one).map(({ event }) => event);
    expect(events(chat)).toEqual(events(group).filter((event) => event !== 'chat:created'));
  });

  it('takes edits, deletions and replies, which other devices get by event and by sync', async () => {
    const chat = await notes();
    const [one, two] = [await ada.say(chat), await ada.say(chat)];
    const device = await ada.device();
    const view = await viewOf(chat);
    const { body: before } = await ada.post<News>('/sync', { cursors: {} });
    expect(before.chats).toEqual([
      { ...view, messages: [one, two], members: null, left_user_ids: [], has_more: false, reset: false },
    ]);
    await ada.post('/messages', { chat_id: chat.id, text: 'more', reply_to_id: one.id });
    expect((await ada.patch(`/messages/${one.id}`, { text: 'better' })).status).toBe(200);
    expect((await ada.delete(`/messages/${two.id}`)).status).toBe(200);
    await device.next('message:updated', ({ id, text }) => id === one.id && text === 'better');
    await device.next('message:deleted', ({ id }) => id === two.id);
    const cursors = { [chat.id]: { seq: 2, change_seq: 0 } };
    const { body: news } = await ada.post<News>('/sync', { cursors });
    expect(news.chats[0]!.messages.map(({ seq, text }) => [seq, text])).toEqual([
      [3, 'more'],
      [1, 'better'],
      [2, null],
    ]);
  });

  it('is no group', async () => {
    const chat = await notes();
    expectProblem(await ada.put(`/groups/${chat.id}/members/${bob.id}`), 409, 'not_a_group');
    expectProblem(await ada.delete(`/groups/${chat.id}/members/${ada.id}`), 409, 'not_a_group');
    expectProblem(await ada.get(`/groups/${chat.id}`), 404, 'group_not_found');
  });

  it('is untouched by blocks: nobody can block themselves', async () => {
    const chat = await notes();
    expectProblem(await ada.put(`/users/${ada.id}/block`), 400, 'validation_failed', ['id']);
    await ada.put(`/users/${bob.id}/block`);
    await bob.put(`/users/${ada.id}/block`);
    expect((await ada.delete(`/users/${ada.id}/block`)).status).toBe(204);
    expect((await ada.say(chat)).seq).toBe(1);
  });

  it('makes nobody a correspondent of the person', async () => {
    await ada.patch('/users/me', { addable_by: 'correspondents' });
    await ada.say(await notes());
    await bob.say(await bob.privateChat(bob));
    const group = await bob.group();
    expectProblem(await bob.put(`/groups/${group.id}/members/${ada.id}`), 403, 'forbidden');
    expect((await ada.group(bob)).member_count).toBe(2);
  });

  it('is in the export, and is erased with the account', async () => {
    const chat = await notes();
    const said = await ada.say(chat, 'Remember the milk');
    const { body } = await ada.get('/users/me/export');
    expect(body.chats).toMatchObject([{ chat_id: chat.id, type: 'private', name: ada.name, last_read_seq: 1 }]);
    expect(body.messages).toEqual([{ ...said, is_read: true }]);
    await ada.request('DELETE', '/users/me', { password: PASSWORD });
    await app.nest.get(ErasureSweeper).erase(ada.id);
    const kept = 'SELECT text, deleted_at, sent_hash FROM messages WHERE chat_id = $1';
    expect(await app.sql(kept, [chat.id])).toEqual([{ text: null, deleted_at: expect.any(Date), sent_hash: null }]);
    expect(await app.sql('SELECT blocked FROM chats WHERE id = $1', [chat.id])).toEqual([{ blocked: true }]);
    expect(await app.sql('SELECT erased_at IS NULL AS open FROM users WHERE id = $1', [ada.id])).toEqual([
      { open: false },
    ]);
  });
});
