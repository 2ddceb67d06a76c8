import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import type { Device } from './support/device.js';
import { PlainClient } from './support/plain-client.js';
import { runModule } from './support/run-module.js';
import { TestApp, type TestUser, unique } from './support/test-app.js';

describe('plain WebSocket', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let eve: TestUser;
  let chat: Chat;

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, bob, eve] = (await app.users(3)) as [TestUser, TestUser, TestUser];
  });
  beforeEach(async () => (chat = await ada.group(bob)));
  afterAll(() => app.close());

  const key = (): string => `unique-${unique()}`;
  const open = ({ token }: TestUser, target: number | string = 'chat'): Promise<PlainClient> =>
    PlainClient.open(app.url, `/ws/${target}?token=${token}`);
  const saying = (text: string) => (frame: { text?: string | null }) => frame.text === text;
  const isReceipt = (frame: { type?: string }) => frame.type === 'read_receipt';
  /** All message, receipt and typing frames that the user's client has received, once a later event has arrived. */
  const allOf = async (user: TestUser, client: PlainClient): Promise<any[]> => {
    const { id } = await user.group();
    await client.next((frame) => frame.chat?.id === id);
    return client.received.filter(({ type }) => type !== 'chat:created');
  };

  describe('message frame', () => {
    it('has the form of the write-ups, and reaches every device of every member in that form', async () => {
      const path = `/ws/chat?user_id=${ada.id}&token=${ada.token}`;
      const plain = await Promise.all([PlainClient.open(app.url, path), open(ada), open(bob), open(bob, chat.id)]);
      const devices = await Promise.all([ada, bob].map((user) => user.device()));
      const frame = { chat_id: chat.id, text: 'Привет!', client_message_id: key() };
      plain[0].send(frame);
      const message = await plain[0].next(saying(frame.text));
      expect(message).toMatchObject({ ...frame, sender_id: ada.id, is_read: false, seq: 1 });
      expect((await bob.get(`/messages/${message.id}`)).body).toEqual(message);
      for (const client of plain.slice(1)) expect(await client.next(saying(frame.text))).toEqual(message);
      for (const device of devices) expect(await device.next('message:created')).toEqual(message);
      for (const [client, user] of [
        [plain[0], ada],
        [plain[1], ada],
        [plain[2], bob],
      ] as const) {
        expect(await allOf(user, client)).toEqual([message]);
      }
    });

    it('may have a type and a reply_to_id', async () => {
      const client = await open(ada);
      const first = await bob.say(chat);
      const frame = { chat_id: chat.id, text: 'a reply', client_message_id: key(), reply_to_id: first.id };
      client.send({ type: 'message', ...frame });
      expect(await client.next(saying('a reply'))).toMatchObject(frame);
    });

    it('arrives in order with messages sent over REST and Socket.IO', async () => {
      const [plain, bound, device] = await Promise.all([open(ada), open(bob, chat.id), bob.device()]);
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => {
          plain.send({ chat_id: chat.id, text: `plain ${i}`, client_message_id: key() });
          bound.send({ text: `bound ${i}`, client_message_id: key() });
          const ack = device.command('message:send', { chat_id: chat.id, text: `io ${i}`, client_message_id: key() });
          return Promise.all([ack, bob.say(chat, `rest ${i}`)]);
        }),
      );
      const messages = (client: PlainClient): Message[] => client.received.filter(({ seq, text }) => seq && text);
      await Promise.all([plain, bound].map((client) => client.next(({ seq, text }) => seq === 80 && text)));
      const { body: history } = await ada.get<Message[]>(`/history/${chat.id}?limit=100`);
      expect(history.map(({ seq }) => seq)).toEqual(Array.from({ length: 80 }, (_, i) => i + 1));
      const texts = history.map(({ text }) => text);
      for (const client of [plain, bound]) expect(messages(client).map(({ text }) => text)).toEqual(texts);
      for (const way of ['plain', 'bound', 'io']) {
        const own = texts.filter((text) => text!.startsWith(way));
        expect(own).toEqual(Array.from({ length: 20 }, (_, i) => `${way} ${i}`));
      }
    });

    it('is stored once per key over all transports, and every attempt is answered once', async () => {
      const [client, other, device] = await Promise.all([open(ada), open(ada), ada.device()]);
      const frame = { chat_id: chat.id, text: 'once', client_message_id: key() };
      client.send(frame);
      client.send(frame); // Sent before the first one can have been answered.
      await client.next(() => client.received.filter(saying('once')).length === 2);
      expect(await device.command('message:send', frame)).toMatchObject({ ok: true, replayed: true });
      expect((await ada.post('/messages', frame)).status).toBe(200);
      client.send(frame);
      await client.next(() => client.received.filter(saying('once')).length === 3);
      const [message] = client.received;
      expect(await allOf(ada, client)).toEqual([message, message, message]);
      expect(await allOf(ada, other)).toEqual([message]);

      const theirs = await ada.post<Message>('/messages', { ...frame, client_message_id: key() });
      client.send({ ...frame, client_message_id: theirs.body.client_message_id });
      await client.next(() => client.received.filter(({ id }) => id === theirs.body.id).length === 2);
      expect((await ada.get(`/chats/${chat.id}`)).body.last_seq).toBe(2);
    });
  });

  describe('read frame', () => {
    it('moves the cursor, and is published once to the reader and to the sender', async () => {
      const [reader, other, sender, device] = await Promise.all([open(bob), open(bob), open(ada), ada.device()]);
      const message = await ada.say(chat);
      reader.send({ type: 'read', message_id: message.id });
      const receipt = await reader.nextOf('read_receipt');
      expect(receipt).toEqual({
        type: 'read_receipt',
        message_id: message.id,
        chat_id: chat.id,
        reader_id: bob.id,
        is_read: true,
        seq: 1,
      });
      expect(await device.next('read_receipt')).toEqual(receipt);
      expect((await bob.get(`/chats/${chat.id}`)).body.unread_count).toBe(0);
      for (const client of [reader, other]) {
        expect((await allOf(bob, client)).filter(isReceipt)).toEqual([receipt]);
      }
      expect((await allOf(ada, sender)).filter(isReceipt)).toEqual([receipt]);
    });

    it('is answered every time, also when it changes nothing', async () => {
      const [reader, other] = await Promise.all([open(bob), open(bob)]);
      const [first, second] = [await ada.say(chat), await ada.say(chat)];
      for (const { id } of [first, second, second, first]) reader.send({ type: 'read', message_id: id });
      await reader.next(() => reader.received.filter(isReceipt).length === 4);
      reader.send({ type: 'read', message_id: second.id });
      await reader.next(() => reader.received.filter(isReceipt).length === 5);
      const read = (heard: any[]) => heard.filter(isReceipt).map(({ message_id }) => message_id);
      expect(read(await allOf(bob, reader))).toEqual([first.id, second.id, second.id, first.id, second.id]);
      expect(read(await allOf(bob, other))).toEqual([first.id, second.id]);
    });
  });

  it('publishes typing to the other members only, on every transport', async () => {
    const [typist, own, plain, device] = await Promise.all([open(ada), open(ada), open(bob), bob.device()]);
    typist.send({ type: 'typing', chat_id: chat.id, is_typing: true });
    const typing = { chat_id: chat.id, user_id: ada.id, is_typing: true };
    expect(await plain.nextOf('typing')).toEqual({ type: 'typing', ...typing });
    expect(await device.next('typing')).toEqual(typing);
    for (const client of [typist, own]) expect(await allOf(ada, client)).toEqual([]);
    await device.command('typing', { chat_id: chat.id, is_typing: false });
    expect(await typist.nextOf('typing')).toMatchObject({ user_id: bob.id, is_typing: false });
  });

  it('answers a ping with a pong', async () => {
    const client = await open(ada);
    client.send({ type: 'ping' });
    expect(await client.nextOf('pong')).toEqual({ type: 'pong' });
  });

  it('sends every Socket.IO event as a frame with the same data', async () => {
    const [client, device] = await Promise.all([open(ada), ada.device()]);
    const group = await ada.group(bob);
    const message = await ada.say(group);
    await ada.patch(`/messages/${message.id}`, { text: 'better' });
    await ada.delete(`/messages/${message.id}`);
    await ada.patch(`/groups/${group.id}`, { name: 'A "new" name' });
    await ada.put(`/groups/${group.id}/members/${eve.id}`);
    await ada.patch(`/groups/${group.id}/members/${eve.id}`, { role: 'admin' });
    await ada.delete(`/groups/${group.id}/members/${eve.id}`);
    await ada.delete(`/groups/${group.id}`);
    await device.next('chat:removed');
    await client.nextOf('chat:removed');
    expect(client.received).toEqual(device.received.map(asFrame));
    expect(new Set(device.received.map(({ event }) => event))).toEqual(
      new Set([
        'chat:created',
        'message:created',
        'message:updated',
        'message:deleted',
        'chat:updated',
        'member:added',
        'member:updated',
        'member:removed',
        'chat:removed',
      ]),
    );
  });

  describe('connection to one chat', () => {
    it('receives the events of this chat only', async () => {
      const elsewhere = await ada.privateChat(bob);
      const [bound, whole] = await Promise.all([open(bob, chat.id), open(bob)]);
      for (const one of [elsewhere, chat, elsewhere]) {
        const { id } = await ada.say(one);
        await bob.post(`/messages/${id}/read`);
        (await ada.device()).socket.emit('typing', { chat_id: one.id, is_typing: true }, () => undefined);
        await whole.next(({ type, chat_id }) => type === 'typing' && chat_id === one.id);
      }
      await ada.patch(`/groups/${chat.id}`, { name: 'The end' });
      await bound.next(({ name }) => name === 'The end');
      await whole.next(({ name }) => name === 'The end');
      const here = ({ id, chat_id }: any): boolean => (chat_id ?? id) === chat.id;
      expect(bound.received).toEqual(whole.received.filter(here));
      expect(bound.received.map(({ type }) => type)).toEqual([undefined, 'read_receipt', 'typing', 'chat:updated']);
      expect(whole.received.length).toBeGreaterThan(bound.received.length + 4);
    });

    it('adds its chat_id to frames without one, and refuses another chat_id', async () => {
      const elsewhere = await ada.group(bob);
      const [bound, device] = await Promise.all([open(ada, chat.id), bob.device()]);
      bound.send({ type: 'typing', is_typing: true });
      expect((await device.next('typing')).chat_id).toBe(chat.id);
      bound.send({ text: 'here', client_message_id: key() });
      bound.send({ chat_id: chat.id, text: 'here, too', client_message_id: key() });
      expect(await bound.next(saying('here'))).toMatchObject({ chat_id: chat.id, seq: 1 });
      expect(await bound.next(saying('here, too'))).toMatchObject({ chat_id: chat.id, seq: 2 });
      const astray = { chat_id: elsewhere.id, text: 'there', client_message_id: key() };
      bound.send(astray);
      expect(await bound.nextOf('error')).toMatchObject({
        code: 'validation_failed',
        client_message_id: astray.client_message_id,
        errors: [{ field: 'chat_id' }],
      });
      expect((await ada.get(`/chats/${elsewhere.id}`)).body.last_seq).toBe(0);
    });

    it('answers a read of a message of another chat, whose events it does not receive', async () => {
      const message = await ada.say(await ada.privateChat(bob));
      const bound = await open(bob, chat.id);
      bound.send({ type: 'read', message_id: message.id });
      expect(await bound.nextOf('read_receipt')).toMatchObject({ message_id: message.id, reader_id: bob.id });
    });

    it.each([
      ['is removed', () => ada.delete(`/groups/${chat.id}/members/${bob.id}`)],
      ['leaves', () => bob.delete(`/groups/${chat.id}/members/${bob.id}`)],
      ['loses the group', () => ada.delete(`/groups/${chat.id}`)],
    ])('is closed with 4404 when the user %s', async (_, action) => {
      const [bound, whole] = await Promise.all([open(bob, chat.id), open(bob)]);
      await action();
      expect(await bound.closed).toEqual([4404, 'chat_not_found']);
      const removed = { type: 'chat:removed', chat_id: chat.id };
      expect(bound.received.at(-1)).toEqual(removed);
      expect(await whole.nextOf('chat:removed')).toEqual(removed);
      await whole.ping();
      await ada.say(chat, 'unheard');
      whole.send({ chat_id: chat.id, text: 'x', client_message_id: 'late' });
      expect(await whole.nextOf('error')).toMatchObject({ code: 'chat_not_found', client_message_id: 'late' });
      expect(whole.received.some(saying('unheard'))).toBe(false);
    });
  });

  it('serves the browser example of docs/realtime.md', async () => {
    const [, example] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/realtime.md', 'utf8'))!;
    const sockets: WebSocket[] = [];
    class BrowserSocket extends WebSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    }
    const connect = await runModule<any>(example!, 'connect', { WebSocket: BrowserSocket });
    const shown: Message[] = [];
    const device = await bob.device();
    const token = () => Promise.resolve(ada.token);
    const say = connect(app.url.replace(/^http/, 'ws'), token, (message: Message) => shown.push(message));
    say(chat.id, 'kept until the socket is open');
    const message = await device.next('message:created');
    expect(message).toMatchObject({ chat_id: chat.id, text: 'kept until the socket is open', sender_id: ada.id });
    say(chat.id, 'and now');
    await device.next('message:created', saying('and now'));
    await device.command('message:read', { message_id: message.id });
    sockets[0]!.onclose = null;
    sockets[0]!.close();
    await once(sockets[0]!, 'close');
    expect(shown.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  function asFrame({ event, payload }: Device['received'][number]): object {
    if (event === 'message:created' || event === 'read_receipt') return payload;
    return event === 'chat:created' ? { type: event, chat: payload } : { type: event, ...payload };
  }
});
