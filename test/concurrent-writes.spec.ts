import type { ErrorCode } from '../src/contract/errors.js';
import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import { MessagesRepository } from '../src/messages/messages.repository.js';
import { onDatabase, waitingForLock } from './support/database.js';
import type { Device } from './support/device.js';
import { expectProblem } from './support/expect-problem.js';
import type { Answer } from './support/http.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('concurrent writes', () => {
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

  it('answer a replay with chat_not_found when its group is deleted before the stored message is read', async () => {
    const chat = await ada.group();
    const command = { chat_id: chat.id, text: 'once', client_message_id: 'the-key' };
    expect((await ada.post('/messages', command)).status).toBe(201);
    const repository = app.nest.get(MessagesRepository);
    const read = repository.at.bind(repository);
    const spy = jest.spyOn(repository, 'at').mockImplementationOnce(async (places) => {
      await app.sql('DELETE FROM messages WHERE chat_id = $1', [chat.id]);
      return read(places);
    });
    expectProblem(await ada.post('/messages', command), 404, 'chat_not_found');
    spy.mockRestore();
  });

  it('store one message for 200 sends with one key, over both transports and two nodes', async () => {
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

  it('number 500 parallel sends in one chat without gaps, and in order on every device', async () => {
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

  it.each([16, 64, 256])(
    'keep one chat consistent for %i senders on two nodes while members join and leave',
    async (count) => {
      const guests = await app.users(4);
      const chat = await ada.group(bob);
      const listener = await ada.device();
      let going = true;
      const comeAndGo = guests.map(async (guest, index) => {
        const node = index % 2 ? app : node2;
        const path = `/groups/${chat.id}/members/${guest.id}`;
        const sent: { answer: Answer<Message>; isMember: boolean | undefined }[] = [];
        while (going) {
          await node.request('PUT', path, { token: ada.token });
          const send = (isMember?: boolean) =>
            node
              .request<Message>('POST', '/messages', { token: guest.token, body: { chat_id: chat.id, text: 'hello' } })
              .then((answer) => sent.push({ answer, isMember }));
          await send(true);
          await Promise.all([send(), node.request('DELETE', path, { token: ada.token })]);
          await send(false);
        }
        return sent;
      });
      const senders = oneTo(count).map((index) => {
        const node = index % 2 ? app : node2;
        const body = { chat_id: chat.id, text: `message ${index}`, client_message_id: `sender-${index}` };
        return node.request<Message>('POST', '/messages', { token: (index % 3 ? ada : bob).token, body });
      });
      const answers = await Promise.all(senders);
      going = false;
      const visits = (await Promise.all(comeAndGo)).flat();

      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
      // A member's message is accepted, a non-member's is refused. During the change either is right.
      for (const { answer, isMember } of visits) {
        expect(isMember === undefined ? [201, 404] : [isMember ? 201 : 404]).toContain(answer.status);
      }
      const acked = [...answers, ...visits.map(({ answer }) => answer)].filter(({ status }) => status === 201);
      const rows = await stored(chat);
      expect(rows.map(({ seq }) => seq)).toEqual(oneTo(acked.length));
      const keys = new Map(rows.map(({ seq, client_message_id }) => [seq, client_message_id]));
      for (const { body } of acked) expect(keys.get(body.seq)).toBe(body.client_message_id);
      const heard = seqsHeard(listener, chat);
      expect(heard).toEqual([...heard].sort((a, b) => a - b));
    },
  );

  it('do not deadlock: 256 senders, two nodes, 1,000 chats, batches with the same chats in any order', async () => {
    await app.sql(
      `WITH made AS (INSERT INTO chats (type, creator_id) SELECT 'group', $1 FROM generate_series(1, 1000) RETURNING id),
       named AS (INSERT INTO groups (chat_id, name, member_count) SELECT id, 'one of a thousand', 1 FROM made)
       INSERT INTO chat_members (chat_id, user_id, role) SELECT id, $1, 'owner' FROM made`,
      [ada.id],
    );
    const ids = (
      await app.sql<{ id: number }>(`SELECT chat_id AS id FROM groups WHERE name = 'one of a thousand'`)
    ).map(({ id }) => id);
    const send = async (sender: number): Promise<void> => {
      for (let turn = 0; turn < 8; turn += 1) {
        const chat_id = ids[(sender * 7919 + turn * 104_729) % ids.length]!;
        const node = (sender + turn) % 2 ? app : node2;
        const { status } = await node.request('POST', '/messages', {
          token: ada.token,
          body: { chat_id, text: 'one' },
        });
        expect(status).toBe(201);
      }
    };
    await Promise.all(oneTo(256).map(send));
    const [counts] = await app.sql(
      `SELECT count(*)::int AS messages, (SELECT sum(last_seq)::int FROM chats WHERE id = ANY($1)) AS numbered
       FROM messages WHERE chat_id = ANY($1)`,
      [ids],
    );
    expect(counts).toEqual({ messages: 256 * 8, numbered: 256 * 8 });
    const holes = await app.sql(
      `SELECT chat_id FROM messages WHERE chat_id = ANY($1) GROUP BY chat_id HAVING max(seq) <> count(*) OR min(seq) <> 1`,
      [ids],
    );
    expect(holes).toEqual([]);
  });

  it('leave no gap, duplicate or decreasing timestamp when two nodes write one chat', async () => {
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

  it('fail only the message that PostgreSQL refuses, and use no seq for it', async () => {
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

  it('leave no gap in any chat when many chats are written at once', async () => {
    const chats = await Promise.all(oneTo(20).map(() => ada.group(bob)));
    const sends = oneTo(400).map((i) => (i % 2 ? ada : bob).say(chats[i % chats.length]!));
    await Promise.all(sends);
    for (const chat of chats) expect((await stored(chat)).map(({ seq }) => seq)).toEqual(oneTo(20));
  });

  it.each<[what: string, code: ErrorCode, ask: (message: Message) => Promise<Answer>]>([
    ['a message', 'chat_not_found', ({ chat_id }) => bob.post('/messages', { chat_id, text: 'too late' })],
    ['an edit', 'message_not_found', ({ id }) => bob.patch(`/messages/${id}`, { text: 'too late' })],
    ['a deletion', 'message_not_found', ({ id }) => bob.delete(`/messages/${id}`)],
    ['a read', 'message_not_found', ({ id }) => bob.post(`/messages/${id}/read`)],
    ['a new name', 'group_not_found', ({ chat_id }) => bob.patch(`/groups/${chat_id}`, { name: 'too late' })],
  ])('refuse %s of a member removed while it waits for the chat: %s', async (_, code, ask) => {
    const chat = await ada.group(bob);
    await ada.patch(`/groups/${chat.id}/members/${bob.id}`, { role: 'admin' });
    const message = await bob.say(chat);
    await ada.say(chat);
    const answer = await onDatabase(app.databaseUrl, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM chats WHERE id = $1 FOR UPDATE', [chat.id]);
      const asked = ask(message);
      await Promise.race([waitingForLock(client), asked]);
      await client.query('DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2', [chat.id, bob.id]);
      await client.query('COMMIT');
      return asked;
    });
    expectProblem(answer, 404, code);
    expect((await ada.get(`/messages/${message.id}`)).body).toEqual({ ...message, is_read: true });
  });

  it.each<[what: string, code: ErrorCode, ask: (message: Message) => Promise<Answer>]>([
    ['the members', 'chat_not_found', ({ chat_id }) => bob.get(`/chats/${chat_id}/members`)],
    ['the readers of a message', 'message_not_found', ({ id }) => bob.get(`/messages/${id}/readers`)],
  ])('show a member who is removed during the read nothing of %s', async (_, code, ask) => {
    const message = await ada.say(await ada.group(bob));
    const answer = await onDatabase(app.databaseUrl, async (client) => {
      await client.query('BEGIN');
      // Both reads need the names, so they wait for this table after any look at the membership before them.
      await client.query('LOCK TABLE users');
      const asked = ask(message);
      await waitingForLock(client);
      await client.query('DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2', [message.chat_id, bob.id]);
      await client.query('COMMIT');
      return asked;
    });
    expectProblem(answer, 404, code);
  });

  it('leave the read cursor at the highest of parallel reads', async () => {
    const chat = await ada.group(bob);
    const messages = await Promise.all(oneTo(20).map(() => ada.say(chat)));
    await Promise.all(messages.map(({ id }) => bob.post(`/messages/${id}/read`)));
    expect((await bob.get<Chat>(`/chats/${chat.id}`)).body).toMatchObject({ last_read_seq: 20, unread_count: 0 });
  });
});
