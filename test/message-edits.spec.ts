import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('message edits and deletions', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let cyd: TestUser;
  let eve: TestUser;

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, bob, cyd, eve] = (await app.users(4)) as [TestUser, TestUser, TestUser, TestUser];
  });
  afterAll(() => app.close());

  const changeSeq = async ({ id }: { id: number }): Promise<number> =>
    (await ada.get<Chat>(`/chats/${id}`)).body.last_change_seq;

  it("replace the text for everybody, with the chat's next change_seq", async () => {
    const chat = await ada.group(bob);
    const [first, second] = [await bob.say(chat), await ada.say(chat)];
    const { status, body } = await bob.patch<Message>(`/messages/${first.id}`, { text: 'better' });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...first,
      text: 'better',
      is_read: true,
      change_seq: 1,
      edited_at: expect.stringMatching(/Z$/),
    });
    await ada.patch(`/messages/${second.id}`, { text: 'too' });
    expect(await changeSeq(chat)).toBe(2);
    const history = (await ada.get<Message[]>(`/history/${chat.id}`)).body;
    expect(history.map(({ text, seq, change_seq }) => [text, seq, change_seq])).toEqual([
      ['better', 1, 1],
      ['too', 2, 2],
    ]);
  });

  it('leave a tombstone without the text', async () => {
    const chat = await ada.group(bob);
    const message = await ada.say(chat, 'a secret');
    const { status, body } = await ada.delete<Message>(`/messages/${message.id}`);
    expect(status).toBe(200);
    expect(body).toEqual({ ...message, text: null, change_seq: 1, deleted_at: expect.stringMatching(/Z$/) });
    expect((await bob.get(`/messages/${message.id}`)).body).toEqual(body);
    expect((await bob.get<Chat>(`/chats/${chat.id}`)).body.last_message).toEqual(body);
    expect(await app.sql('SELECT text FROM messages WHERE id = $1', [message.id])).toEqual([{ text: null }]);
    expect((await ada.say(chat)).seq).toBe(2);
  });

  it('change nothing when the text is the same or the message is deleted already', async () => {
    const chat = await ada.group(bob);
    const message = await ada.say(chat, 'as it is');
    expect((await ada.patch(`/messages/${message.id}`, { text: 'as it is' })).body).toEqual(message);
    expect(await changeSeq(chat)).toBe(0);
    const tombstone = (await ada.delete(`/messages/${message.id}`)).body;
    const again = await ada.delete(`/messages/${message.id}`);
    expect([again.status, again.body]).toEqual([200, tombstone]);
    expect(await changeSeq(chat)).toBe(1);
  });

  it('cannot restore a deleted message', async () => {
    const message = await ada.say(await ada.group(bob));
    await ada.delete(`/messages/${message.id}`);
    const { status, body } = await ada.patch(`/messages/${message.id}`, { text: 'back' });
    expect([status, body.code]).toEqual([404, 'message_not_found']);
  });

  it('are for the sender; in a group, owner and admins may delete', async () => {
    const chat = await ada.group(bob, cyd);
    await ada.patch(`/groups/${chat.id}/members/${bob.id}`, { role: 'admin' });
    const byCyd = await cyd.say(chat);
    const byAda = await ada.say(chat);
    const statuses = async (user: TestUser, { id }: Message) => [
      (await user.patch(`/messages/${id}`, { text: 'x' })).status,
      (await user.delete(`/messages/${id}`)).status,
    ];
    expect(await statuses(eve, byAda)).toEqual([404, 404]);
    expect(await statuses(cyd, byAda)).toEqual([403, 403]);
    expect(await statuses(bob, byAda)).toEqual([403, 200]);
    expect(await statuses(ada, byCyd)).toEqual([403, 200]);
    const pair = await ada.privateChat(bob);
    expect(await statuses(ada, await bob.say(pair))).toEqual([403, 403]);
  });

  it('reach every device of every member, over either transport', async () => {
    const chat = await ada.group(bob);
    const devices = await Promise.all([ada, ada, bob].map((user) => user.device()));
    const [one, two] = [await ada.say(chat), await ada.say(chat)];
    const edited = await devices[0]!.command('message:edit', { message_id: one.id, text: 'better' });
    const deleted = await ada.delete(`/messages/${two.id}`);
    for (const device of devices) {
      expect({ ok: true, data: await device.next('message:updated') }).toEqual(edited);
      expect(await device.next('message:deleted')).toEqual(deleted.body);
    }
    const gone = await devices[0]!.command('message:delete', { message_id: one.id });
    expect(gone).toMatchObject({ ok: true, data: { text: null, change_seq: 3 } });
    for (const command of ['message:edit', 'message:delete'] as const) {
      const [theirs, none] = [one, { id: 987_654_321 }].map(({ id }) => ({ message_id: id, text: 'x' }));
      const ask = ({ message_id, text }: { message_id: number; text: string }) =>
        devices[2]!.command(command, command === 'message:edit' ? { message_id, text } : { message_id });
      expect(await ask(theirs!)).toMatchObject({ ok: false, error: { code: 'forbidden', retryable: false } });
      expect(await ask(none!)).toMatchObject({ ok: false, error: { code: 'message_not_found', retryable: false } });
    }
  });

  it('do not change what a replay is compared with: the text first sent', async () => {
    const chat = await ada.group(bob);
    const sent = { chat_id: chat.id, text: 'first', client_message_id: 'k' };
    const { body: message } = await ada.post<Message>('/messages', sent);
    await ada.patch(`/messages/${message.id}`, { text: 'second' });
    await ada.patch(`/messages/${message.id}`, { text: 'third' });
    const replay = await ada.post('/messages', sent);
    expect([replay.status, replay.body.text]).toEqual([200, 'third']);
    for (const text of ['second', 'third']) {
      expect((await ada.post('/messages', { ...sent, text })).body.code).toBe('client_message_id_conflict');
    }
    await ada.delete(`/messages/${message.id}`);
    const late = await ada.post('/messages', sent);
    expect([late.status, late.body.text]).toEqual([200, null]);
    expect((await ada.post('/messages', { ...sent, text: 'third' })).status).toBe(409);
  });

  it('are never dated before the message, or before the change before, when the clock steps back', async () => {
    const [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
    const chat = await ada.group(bob);
    const message = await ada.say(chat);
    const [row] = await app.sql<{ at: Date }>(
      "UPDATE messages SET timestamp = timestamp + interval '1 hour' WHERE id = $1 RETURNING timestamp AS at",
      [message.id],
    );
    const sent = row!.at.toISOString();
    expect((await ada.patch(`/messages/${message.id}`, { text: 'edited' })).body).toMatchObject({ edited_at: sent });
    await app.sql("UPDATE messages SET edited_at = edited_at + interval '1 hour' WHERE id = $1", [message.id]);
    const { body } = await ada.delete(`/messages/${message.id}`);
    expect(body.deleted_at).toBe(new Date(Date.parse(sent) + 3_600_000).toISOString());
  });

  it('get a change_seq each, without gaps, when they race', async () => {
    const chat = await ada.group(bob);
    const messages = await Promise.all(Array.from({ length: 20 }, () => ada.say(chat)));
    const device = await bob.device();
    const edits = await Promise.all(messages.map(({ id }) => ada.patch<Message>(`/messages/${id}`, { text: 'x' })));
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
    expect(edits.map(({ body }) => body.change_seq).sort((a, b) => a! - b!)).toEqual(numbers);
    await device.until(() => device.all('message:updated').length === 20);
    expect(device.all('message:updated').map(({ change_seq }) => change_seq)).toEqual(numbers);
  });

  it('refuse a text that is invalid for a message', async () => {
    const message = await ada.say(await ada.group(bob));
    for (const text of ['', ' ', 'a\u0000b', 1, null, 'x'.repeat(4097)]) {
      const { status, body } = await ada.patch(`/messages/${message.id}`, { text });
      expect([status, body.errors[0].field]).toEqual([400, 'text']);
    }
  });
});
