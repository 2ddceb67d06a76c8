import type { Message } from '../src/contract/messages.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('messages', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let eve: TestUser;

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, bob, eve] = (await app.users(3)) as [TestUser, TestUser, TestUser];
  });
  afterAll(() => app.close());

  const newGroup = () => ada.group(bob);

  describe('POST /messages', () => {
    it('returns the whole message', async () => {
      const chat = await newGroup();
      const { status, body } = await ada.post('/messages', {
        chat_id: chat.id,
        text: 'Привет!',
        client_message_id: 'unique-1',
      });
      expect(status).toBe(201);
      expect(body).toEqual({
        id: expect.any(Number),
        chat_id: chat.id,
        sender_id: ada.id,
        text: 'Привет!',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        is_read: false,
        client_message_id: 'unique-1',
        seq: 1,
        change_seq: null,
        reply_to_id: null,
        edited_at: null,
        deleted_at: null,
      });
    });

    it('creates a UUID when no key is given', async () => {
      const message = await ada.say(await newGroup());
      expect(message.client_message_id).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    });

    it('returns the stored message for the same key and content, and uses no seq', async () => {
      const chat = await newGroup();
      const sent = { chat_id: chat.id, text: 'once', client_message_id: 'k' };
      const first = await ada.post('/messages', sent);
      const again = await ada.post('/messages', sent);
      expect(first.headers.get('idempotent-replayed')).toBeNull();
      expect(again.status).toBe(200);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(again.body).toEqual(first.body);
      expect((await ada.say(chat)).seq).toBe(2);
    });

    it('refuses a key that is used by another message, and shows nothing of that message', async () => {
      const chat = await newGroup();
      const first = await ada.say(chat);
      const sent = { chat_id: chat.id, text: 'secret', client_message_id: 'k' };
      await ada.post('/messages', sent);
      const others = [
        ada.post('/messages', { ...sent, text: 'another' }),
        bob.post('/messages', sent),
        ada.post('/messages', { ...sent, reply_to_id: first.id }),
      ];
      for (const { status, body } of await Promise.all(others)) {
        expect(status).toBe(409);
        expect(body.code).toBe('client_message_id_conflict');
        expect(JSON.stringify(body)).not.toContain('secret');
      }
      expect((await ada.say(chat)).seq).toBe(3);
    });

    it('scopes keys to their chat', async () => {
      const [one, two] = await Promise.all([newGroup(), newGroup()]);
      const sent = { text: 'x', client_message_id: 'same' };
      const answers = await Promise.all([one, two].map(({ id }) => ada.post('/messages', { ...sent, chat_id: id })));
      expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    });

    it('accepts the key in the Idempotency-Key header', async () => {
      const chat = await newGroup();
      const body = { chat_id: chat.id, text: 'x' };
      const first = await ada.post('/messages', body, { 'Idempotency-Key': 'header-key' });
      const again = await ada.post('/messages', { ...body, client_message_id: 'header-key' });
      const both = await ada.post(
        '/messages',
        { ...body, client_message_id: 'header-key' },
        { 'Idempotency-Key': 'header-key' },
      );
      const different = await ada.post('/messages', { ...body, client_message_id: 'a' }, { 'Idempotency-Key': 'b' });
      const malformed = await ada.post('/messages', body, { 'Idempotency-Key': 'two words' });
      expect([first, again, both, different, malformed].map(({ status }) => status)).toEqual([201, 200, 200, 400, 400]);
      expect(first.body.client_message_id).toBe('header-key');
      expect(different.body.errors[0].field).toBe('client_message_id');
      expect(malformed.body.errors[0].field).toBe('Idempotency-Key');
    });

    it('accepts a reply only to a message of the same chat', async () => {
      const [chat, other] = await Promise.all([newGroup(), newGroup()]);
      const [here, elsewhere] = await Promise.all([ada.say(chat), ada.say(other)]);
      const reply = await bob.post('/messages', { chat_id: chat.id, text: 'yes', reply_to_id: here.id });
      const astray = await bob.post('/messages', { chat_id: chat.id, text: 'yes', reply_to_id: elsewhere.id });
      expect(reply.body.reply_to_id).toBe(here.id);
      expect([astray.status, astray.body.errors[0].field]).toEqual([400, 'reply_to_id']);
      expect((await ada.say(chat)).seq).toBe(3);
    });

    it('answers a foreign chat like an absent one', async () => {
      const chat = await newGroup();
      const [foreign, absent] = await Promise.all(
        [chat.id, 999_999_999].map((chat_id) => eve.post('/messages', { chat_id, text: 'x' })),
      );
      expect([foreign!.status, foreign!.body.code]).toEqual([404, 'chat_not_found']);
      expect({ ...foreign!.body, request_id: '' }).toEqual({ ...absent!.body, request_id: '' });
    });

    it('accepts up to 4096 code points of text', async () => {
      const chat = await newGroup();
      const longest = '😀'.repeat(4096);
      const [fits, tooLong] = await Promise.all(
        [longest, `${longest}!`].map((text) => ada.post('/messages', { chat_id: chat.id, text })),
      );
      expect([fits!.status, tooLong!.status]).toEqual([201, 400]);
      expect(fits!.body.text).toBe(longest);
    });
  });

  describe('history', () => {
    let chatId: number;
    let sent: Message[];
    beforeAll(async () => {
      const chat = await newGroup();
      chatId = chat.id;
      sent = [];
      for (let i = 1; i <= 12; i += 1) sent.push(await (i % 2 ? ada : bob).say(chat, `message ${i}`));
    });

    const seqs = async (query: string): Promise<number[]> => {
      const { body } = await ada.get<Message[]>(`/messages/history/${chatId}?${query}`);
      return body.map(({ seq }) => seq);
    };

    it('returns the messages, oldest first, and the total count in a header', async () => {
      const { status, headers, body } = await bob.get<Message[]>(`/messages/history/${chatId}`);
      expect(status).toBe(200);
      expect(headers.get('x-total-count')).toBe('12');
      expect(body.map(({ id, seq, text }) => [id, seq, text])).toEqual(
        sent.map(({ id, seq, text }) => [id, seq, text]),
      );
      expect((await bob.get(`/history/${chatId}`)).body).toEqual(body);
    });

    it.each([
      ['limit=3', [1, 2, 3]],
      ['limit=3&offset=10', [11, 12]],
      ['limit=3&offset=12', []],
      ['offset=9007199254740991', []],
      ['limit=3&before_seq=12', [9, 10, 11]],
      ['limit=3&before_seq=2', [1]],
      ['before_seq=1', []],
      ['limit=2&before_seq=500', [11, 12]],
      ['limit=3&after_seq=0', [1, 2, 3]],
      ['limit=3&after_seq=10', [11, 12]],
      ['after_seq=12', []],
      ['limit=5&around_seq=6', [4, 5, 6, 7, 8]],
      ['limit=5&around_seq=1', [1, 2, 3, 4, 5]],
      ['limit=5&around_seq=12', [8, 9, 10, 11, 12]],
      ['limit=5&around_seq=99', [8, 9, 10, 11, 12]],
      ['limit=100&around_seq=3', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ])('pages by %s', async (query, expected) => {
      expect(await seqs(query)).toEqual(expected);
    });

    it.each([
      'limit=0',
      'limit=101',
      'limit=x',
      'limit=1&limit=2',
      'offset=-1',
      'offset=1.5',
      'before_seq=0',
      'page=1',
    ])('refuses %s', async (query) => {
      const { status, body } = await ada.get(`/messages/history/${chatId}?${query}`);
      expect([status, body.code, body.errors[0].field]).toEqual([400, 'validation_failed', query.split('=')[0]]);
    });

    it('refuses more than one way of paging at a time', async () => {
      const { status, body } = await ada.get(`/messages/history/${chatId}?before_seq=5&after_seq=1`);
      expect(status).toBe(400);
      expect(body.errors.map(({ field }: { field: string }) => field)).toEqual(['before_seq', 'after_seq']);
    });

    it('is empty for an empty chat, and hidden from outsiders', async () => {
      const chat = await newGroup();
      const empty = await ada.get(`/messages/history/${chat.id}`);
      expect([empty.body, empty.headers.get('x-total-count')]).toEqual([[], '0']);
      expect((await eve.get(`/messages/history/${chat.id}`)).body.code).toBe('chat_not_found');
    });

    it('has timestamps that never decrease', () => {
      const times = sent.map(({ timestamp }) => timestamp);
      expect(times).toEqual([...times].sort());
    });
  });

  it('returns a single message to members only', async () => {
    const message = await ada.say(await newGroup());
    expect((await bob.get(`/messages/${message.id}`)).body).toEqual(message);
    const foreign = await eve.get(`/messages/${message.id}`);
    const absent = await eve.get('/messages/999999999');
    expect([foreign.status, foreign.body.code]).toEqual([404, 'message_not_found']);
    expect({ ...foreign.body, request_id: '' }).toEqual({ ...absent.body, request_id: '' });
  });

  it('answers 404 on every route for a message that the client may not see', async () => {
    const message = await ada.say(await newGroup());
    const answers = await Promise.all([
      eve.post(`/messages/${message.id}/read`),
      eve.get(`/messages/${message.id}/readers`),
    ]);
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [404, 'message_not_found'],
      [404, 'message_not_found'],
    ]);
  });
});
