import type { Chat, Message } from '../src/realtime/contract.js';
import type { Device } from './support/device.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('races', () => {
  let app: TestApp;
  let node2: TestApp;
  let ada: TestUser;
  let bob: TestUser;

  beforeAll(async () => {
    app = await TestApp.start();
    node2 = await TestApp.start({ databaseUrl: app.databaseUrl });
    [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
  });
  afterAll(async () => {
    await node2.close();
    await app.close();
  });

  const seqsHeard = (device: Device, { id }: Chat): number[] =>
    device
      .all('message:created')
      .filter(({ chat_id }) => chat_id === id)
      .map(({ seq }) => seq);
  const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  const stored = (chat: Chat) =>
    app.sql<{ seq: number; client_message_id: string }>('SELECT * FROM messages WHERE chat_id = $1 ORDER BY seq', [
      chat.id,
    ]);

  it('200 sends of one key over both transports and two nodes make one message', async () => {
    const chat = await ada.group(bob);
    const [phone, laptop, listener] = await Promise.all([ada.device(), node2.connect(ada.token), bob.device()]);
    const command = { chat_id: chat.id, text: 'once', client_message_id: 'the-key' };
    const bySocket = async (device: Device): Promise<[boolean, Message]> => {
      const ack = await device.command('message:send', command);
      if (!ack.ok) throw new Error(ack.error.code);
      return [ack.replayed, ack.data];
    };
    const byRest = async (node: TestApp): Promise<[boolean, Message]> => {
      const { status, body } = await node.request<Message>('POST', '/messages', { token: ada.token, body: command });
      return [status === 200, body];
    };
    const ways = [() => bySocket(phone), () => byRest(app), () => bySocket(laptop), () => byRest(node2)];
    const answers = await Promise.all(oneTo(200).map((i) => ways[i % ways.length]!()));

    expect(answers.filter(([replayed]) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(([, message]) => JSON.stringify(message))).size).toBe(1);
    expect(await stored(chat)).toHaveLength(1);
    expect((await ada.say(chat)).seq).toBe(2);
    await listener.until(() => seqsHeard(listener, chat).includes(2));
  });

  it('500 parallel sends in one chat come out dense, and in order on every device', async () => {
    const writers = await app.users(10);
    const chat = await ada.group(...writers);
    const devices = await Promise.all([ada, ...writers, ...writers].map((user) => user.device()));
    const send = async (index: number): Promise<Message> => {
      const author = index % writers.length;
      const command = { chat_id: chat.id, text: `message ${index}`, client_message_id: `key-${index}` };
      if (index % 2) return (await writers[author]!.post<Message>('/messages', command)).body;
      const ack = await devices[author + 1]!.command('message:send', command);
      if (!ack.ok) throw new Error(ack.error.code);
      return ack.data;
    };
    const sent = await Promise.all(oneTo(500).map(send));

    expect(sent.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(oneTo(500));
    const rows = await stored(chat);
    expect(rows.map(({ seq }) => seq)).toEqual(oneTo(500));
    for (const device of devices) {
      await device.until(() => seqsHeard(device, chat).length >= 500, 'all 500 messages');
      expect(seqsHeard(device, chat)).toEqual(oneTo(500));
    }
    const times = (await ada.get<Message[]>(`/history/${chat.id}?limit=100&offset=400`)).body.map(
      ({ timestamp }) => timestamp,
    );
    expect(times).toEqual([...times].sort());
  });

  it('two nodes write one chat without a hole, a duplicate or a time that runs back', async () => {
    const chat = await ada.group(bob);
    const send = (index: number) =>
      (index % 2 ? app : node2).request<Message>('POST', '/messages', {
        token: (index % 3 ? ada : bob).token,
        body: { chat_id: chat.id, text: `message ${index}` },
      });
    const answers = await Promise.all(oneTo(200).map(send));
    expect(answers.map(({ body }) => body.seq).sort((a, b) => a - b)).toEqual(oneTo(200));
    const inOrder = answers.map(({ body }) => body).sort((a, b) => a.seq - b.seq);
    expect(inOrder.map(({ timestamp }) => timestamp)).toEqual(inOrder.map(({ timestamp }) => timestamp).sort());
  });

  it('a message that PostgreSQL refuses fails alone, and burns no number', async () => {
    const chat = await ada.group(bob);
    await app.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF new.text = 'poison' THEN RAISE 'refused by the spec'; END IF; RETURN new; END $$`);
    await app.sql('CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse()');
    const texts = oneTo(40).map((i) => (i % 10 === 5 ? 'poison' : `message ${i}`));
    const answers = await Promise.all(texts.map((text) => ada.post('/messages', { chat_id: chat.id, text })));
    await app.sql('DROP TRIGGER refuse ON messages');
    expect(answers.map(({ status }) => status)).toEqual(texts.map((text) => (text === 'poison' ? 500 : 201)));
    expect((await stored(chat)).map(({ seq }) => seq)).toEqual(oneTo(36));
  });

  it('sends in many chats at once leave each chat dense', async () => {
    const chats = await Promise.all(oneTo(20).map(() => ada.group(bob)));
    const sends = oneTo(400).map((i) => (i % 2 ? ada : bob).say(chats[i % chats.length]!));
    await Promise.all(sends);
    for (const chat of chats) expect((await stored(chat)).map(({ seq }) => seq)).toEqual(oneTo(20));
  });

  it('a cursor under parallel reads ends at the highest', async () => {
    const chat = await ada.group(bob);
    const messages = await Promise.all(oneTo(20).map(() => ada.say(chat)));
    await Promise.all(messages.map(({ id }) => bob.post(`/messages/${id}/read`)));
    expect((await bob.get<Chat>(`/chats/${chat.id}`)).body).toMatchObject({ last_read_seq: 20, unread_count: 0 });
  });
});
