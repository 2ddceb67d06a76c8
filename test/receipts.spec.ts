import type { Chat } from '../src/contract/chats.js';
import type { Reader } from '../src/contract/messages.js';
import { expectProblem } from './support/expect-problem.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('read receipts', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let cyd: TestUser;

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, bob, cyd] = (await app.users(3)) as [TestUser, TestUser, TestUser];
  });
  afterAll(() => app.close());

  const isRead = async (id: number): Promise<boolean> => (await ada.get(`/messages/${id}`)).body.is_read;
  const chatOf = async (user: TestUser, { id }: { id: number }): Promise<Chat> =>
    (await user.get<Chat>(`/chats/${id}`)).body;

  it('mark a private message as read when the other user has read it', async () => {
    const pair = await ada.privateChat(bob);
    const message = await ada.say(pair);
    expect(await isRead(message.id)).toBe(false);
    const { status, body } = await bob.post(`/messages/${message.id}/read`);
    expect(status).toBe(200);
    expect(body).toEqual({
      type: 'read_receipt',
      message_id: message.id,
      chat_id: pair.id,
      reader_id: bob.id,
      is_read: true,
      seq: message.seq,
    });
    expect(await isRead(message.id)).toBe(true);
    expect((await chatOf(ada, pair)).read_by_all_seq).toBe(message.seq);
  });

  it('mark a group message as read when all members have read it', async () => {
    const chat = await ada.group(bob, cyd);
    const message = await ada.say(chat);
    expect((await bob.post(`/messages/${message.id}/read`)).body.is_read).toBe(false);
    expect(await isRead(message.id)).toBe(false);
    expect((await cyd.post(`/messages/${message.id}/read`)).body.is_read).toBe(true);
    expect(await isRead(message.id)).toBe(true);
    expect((await chatOf(ada, chat)).read_by_all_seq).toBe(1);
  });

  it('cover all earlier messages, and never move the cursor back', async () => {
    const chat = await ada.group(bob);
    const messages = [await ada.say(chat), await ada.say(chat), await ada.say(chat)];
    expect((await chatOf(bob, chat)).unread_count).toBe(3);
    await bob.post(`/messages/${messages[1]!.id}/read`);
    expect(await chatOf(bob, chat)).toMatchObject({ last_read_seq: 2, unread_count: 1, last_seq: 3 });
    const back = await bob.post(`/messages/${messages[0]!.id}/read`);
    expect([back.status, back.body.seq]).toEqual([200, 1]);
    expect(await chatOf(bob, chat)).toMatchObject({ last_read_seq: 2, unread_count: 1 });
    expect(await Promise.all(messages.map(({ id }) => isRead(id)))).toEqual([true, true, false]);
  });

  it('include everything up to a message that the reader sends', async () => {
    const chat = await ada.group(bob);
    const question = await ada.say(chat);
    await bob.say(chat);
    expect(await chatOf(bob, chat)).toMatchObject({ last_read_seq: 2, unread_count: 0 });
    expect(await isRead(question.id)).toBe(true);
    expect(await chatOf(ada, chat)).toMatchObject({ last_read_seq: 1, unread_count: 1 });
  });

  it('mark a message in a group of one as read', async () => {
    const chat = await ada.group();
    expect((await ada.say(chat)).is_read).toBe(true);
  });

  it('list who has read a message, without its sender', async () => {
    const chat = await ada.group(bob, cyd);
    const [first, second] = [await ada.say(chat), await ada.say(chat)];
    await bob.post(`/messages/${second.id}/read`);
    await cyd.post(`/messages/${first.id}/read`);
    expect((await ada.get(`/messages/${first.id}/readers`)).body).toEqual([
      { user_id: bob.id, name: bob.name },
      { user_id: cyd.id, name: cyd.name },
    ]);
    expect((await cyd.get(`/messages/${second.id}/readers`)).body).toEqual([{ user_id: bob.id, name: bob.name }]);
    const page = async (query: string) => (await cyd.get<Reader[]>(`/messages/${first.id}/readers?${query}`)).body;
    expect((await page('limit=1')).map(({ user_id }) => user_id)).toEqual([bob.id]);
    expect((await page('limit=1&offset=1')).map(({ user_id }) => user_id)).toEqual([cyd.id]);
    expect(await page('offset=2')).toEqual([]);
    expectProblem(await cyd.get(`/messages/${first.id}/readers?limit=101`), 400, 'validation_failed', ['limit']);
  });

  it('reach the senders of newly read messages, and the reader, once', async () => {
    const chat = await ada.group(bob, cyd);
    const devices = await Promise.all([ada, ada, bob, bob, cyd].map((user) => user.device()));
    const [adaPhone, adaLaptop, bobPhone, bobLaptop, cydPhone] = devices as [(typeof devices)[0], ...typeof devices];
    await ada.say(chat);
    const last = await ada.say(chat);
    const receipt = (await bob.post(`/messages/${last.id}/read`)).body;
    await bob.post(`/messages/${last.id}/read`);
    await cyd.say(chat, 'the end');
    for (const device of devices) await device.next('message:created', ({ text }) => text === 'the end');
    for (const device of [adaPhone, adaLaptop, bobPhone, bobLaptop]) {
      expect(device!.all('read_receipt').filter(({ reader_id }) => reader_id === bob.id)).toEqual([receipt]);
    }
    expect(cydPhone!.all('read_receipt').filter(({ reader_id }) => reader_id === bob.id)).toEqual([]);
  });

  it('reach the senders whose messages are read by sending an answer', async () => {
    const chat = await ada.group(bob);
    const device = await ada.device();
    const question = await ada.say(chat);
    await bob.say(chat, 'an answer');
    expect(await device.next('read_receipt')).toEqual({
      type: 'read_receipt',
      message_id: question.id,
      chat_id: chat.id,
      reader_id: bob.id,
      is_read: true,
      seq: question.seq,
    });
  });

  it('mark a message as read exactly once when the last readers race', async () => {
    const readers = await app.users(8);
    const chat = await ada.group(...readers);
    for (let round = 0; round < 5; round += 1) {
      const message = await ada.say(chat);
      const receipts = await Promise.all(readers.map((reader) => reader.post(`/messages/${message.id}/read`)));
      expect(receipts.filter(({ body }) => body.is_read)).toHaveLength(1);
    }
  });
});
