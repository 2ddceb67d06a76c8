import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import type { News } from '../src/contract/sync.js';
import { PlainClient } from './support/plain-client.js';
import { TestApp, type TestUser, unique } from './support/test-app.js';
import { TwoNodes } from './support/two-nodes.js';

/** Frames of the plain WebSocket that change messages, and the frame that catches up. */
describe('plain WebSocket', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let chat: Chat;
  let message: Message;

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
  });
  beforeEach(async () => {
    chat = await ada.group(bob);
    message = await ada.say(chat);
  });
  afterAll(() => app.close());

  const open = (user: TestUser, target: number | string = 'chat'): Promise<PlainClient> =>
    PlainClient.open(user.app.url, `/ws/${target}?token=${user.token}`);
  const edit = ({ id }: { id: number }, text: string) => ({ type: 'edit', message_id: id, text });
  const remove = ({ id }: { id: number }) => ({ type: 'delete', message_id: id });
  const isChange = ({ type }: { type?: string }): boolean => type === 'message:updated' || type === 'message:deleted';
  const isAnswer = (frame: { type?: string }): boolean => isChange(frame) || frame.type === 'error';
  /** Resolves when all commands of the client are acked: a sync waits for those before it. */
  const settled = async (client: PlainClient): Promise<void> => {
    const syncs = () => client.received.filter(({ type }) => type === 'sync').length;
    const before = syncs();
    client.send({ type: 'sync', cursors: {}, limit: 1 });
    await client.next(() => syncs() > before);
  };
  /** Waits for so many answers, and until no other one can come. Returns all. */
  const answers = async (client: PlainClient, count: number): Promise<any[]> => {
    await client.next(() => client.received.filter(isAnswer).length >= count);
    await settled(client);
    return client.received.filter(isAnswer);
  };

  describe('edit frame', () => {
    it('is answered by its event, which everybody in the chat gets once, on every transport', async () => {
      const [client, ...others] = await Promise.all([open(ada), open(ada), open(bob), open(bob, chat.id)]);
      const device = await bob.device();
      client.send(edit(message, 'Лучше'));
      const [answer] = await answers(client, 1);
      expect(answer).toEqual({ type: 'message:updated', ...(await ada.get(`/messages/${message.id}`)).body });
      expect(answer).toMatchObject({ id: message.id, text: 'Лучше', seq: message.seq, change_seq: expect.any(Number) });
      expect({ type: 'message:updated', ...(await device.next('message:updated')) }).toEqual(answer);
      for (const other of others) expect(await answers(other, 1)).toEqual([answer]);
      expect(await answers(client, 1)).toEqual([answer]);
    });

    it('is answered every time, also when it changes nothing, and then to this client only', async () => {
      const [client, other] = await Promise.all([open(ada), open(ada)]);
      for (const text of [message.text!, 'one', 'one', 'two', 'two']) client.send(edit(message, text));
      const texts = (await answers(client, 5)).map(({ text }) => text);
      expect(texts).toEqual([message.text, 'one', 'one', 'two', 'two']);
      expect((await answers(other, 2)).map(({ text }) => text)).toEqual(['one', 'two']);
    });

    it('leads to one frame each, however many devices edit the same message', async () => {
      const [client, other, device] = await Promise.all([open(ada), open(ada), ada.device()]);
      const count = 10;
      await Promise.all(
        Array.from({ length: count }, async (_, i) => {
          client.send(edit(message, `client ${i}`));
          other.send(edit(message, `other ${i}`));
          await Promise.all([
            device.command('message:edit', { message_id: message.id, text: `device ${i}` }),
            ada.patch(`/messages/${message.id}`, { text: `rest ${i}` }),
          ]);
        }),
      );
      for (const one of [client, other]) {
        const frames = await answers(one, 4 * count);
        expect(frames.map(({ change_seq }) => change_seq)).toEqual(
          Array.from(frames, (_, i) => (frames[0].change_seq as number) + i),
        );
        expect(frames).toHaveLength(4 * count);
      }
    });

    it('is refused as over Socket.IO', async () => {
      const client = await open(bob);
      client.send(edit(message, 'not mine'));
      client.send(edit({ id: 999_999_999 }, 'nowhere'));
      client.send({ type: 'edit', message_id: message.id });
      client.send({ ...edit(message, 'x'), chat_id: chat.id });
      expect((await answers(client, 4)).map(({ code, errors }) => [code, errors?.[0].field])).toEqual([
        ['forbidden', undefined],
        ['message_not_found', undefined],
        ['validation_failed', 'text'],
        ['validation_failed', 'chat_id'],
      ]);
    });
  });

  describe('delete frame', () => {
    it('is answered by its event, and again by the tombstone', async () => {
      const [client, other] = await Promise.all([open(ada), open(bob, chat.id)]);
      client.send(remove(message));
      client.send(remove(message));
      const [first, second, ...more] = await answers(client, 2);
      expect(first).toMatchObject({
        type: 'message:deleted',
        id: message.id,
        text: null,
        deleted_at: expect.any(String),
      });
      expect([second, more]).toEqual([first, []]);
      expect(await answers(other, 1)).toEqual([first]);
    });

    it('ends the edits of a message: those before it are answered, those after it refused', async () => {
      const [client, other] = await Promise.all([open(ada), open(bob)]);
      for (const frame of [edit(message, 'a'), edit(message, 'a'), remove(message), edit(message, 'b')])
        client.send(frame);
      const kindOf = ({ type, text, code }: any) => [type, text ?? code];
      expect((await answers(client, 4)).map(kindOf)).toEqual([
        ['message:updated', 'a'],
        ['message:updated', 'a'],
        ['message:deleted', undefined],
        ['error', 'message_not_found'],
      ]);
      expect((await answers(other, 2)).map(kindOf)).toEqual([
        ['message:updated', 'a'],
        ['message:deleted', undefined],
      ]);
    });
  });

  it('answers a change of a message of another chat on a connection to one chat, which gets no event of it', async () => {
    const elsewhere = await ada.say(await ada.privateChat(bob));
    const [bound, quiet] = await Promise.all([open(ada, chat.id), open(ada, chat.id)]);
    for (const frame of [edit(elsewhere, 'there'), edit(elsewhere, 'there'), remove(elsewhere)]) bound.send(frame);
    const kinds = (await answers(bound, 3)).map(({ type, text, chat_id }) => [type, text, chat_id]);
    const { chat_id } = elsewhere;
    expect(kinds).toEqual([
      ['message:updated', 'there', chat_id],
      ['message:updated', 'there', chat_id],
      ['message:deleted', null, chat_id],
    ]);
    bound.send(edit(message, 'here'));
    expect(await answers(quiet, 1)).toMatchObject([{ text: 'here' }]);
  });

  it('answers each edit once while another node edits the same message', async () => {
    const cluster = await TwoNodes.start(undefined);
    const user = await cluster.nodes[0].user();
    const { id } = await user.say(await user.group());
    const clients = await Promise.all([open(user), open(cluster.onOtherNode(user))]);
    const count = 20;
    for (let i = 0; i < count; i += 1) clients.forEach((client, node) => client.send(edit({ id }, `${node}: ${i}`)));
    for (const [node, client] of clients.entries()) {
      await settled(client);
      // A `message:created` that is published late shows the first edit.
      const own = client.received.filter((frame) => isChange(frame) && frame.text.startsWith(`${node}: `));
      expect(own.map(({ text }) => text)).toEqual(Array.from({ length: count }, (_, i) => `${node}: ${i}`));
    }
    await cluster.close();
  });

  describe('sync frame', () => {
    it('is answered with what POST /sync says', async () => {
      const [client, bound] = await Promise.all([open(bob), open(bob, chat.id)]);
      await ada.patch(`/messages/${message.id}`, { text: 'edited' });
      await ada.say(chat, 'newer');
      await app.writeActivity(); // It moves the activity_cursor.
      const cursors = {
        [chat.id]: { seq: 1, change_seq: 0 },
        999_999_999: { seq: 1, change_seq: 0, last_read_seq: 1 },
      };
      const { body } = await bob.post<News>('/sync', { cursors });
      expect(body.removed_chat_ids).toEqual([999_999_999]);
      expect(body.chats.find(({ id }) => id === chat.id)?.messages.map(({ text }) => text)).toEqual([
        'newer',
        'edited',
      ]);
      for (const one of [client, bound]) {
        one.send({ type: 'sync', cursors });
        expect(await one.nextOf('sync')).toEqual({ type: 'sync', ...body });
      }
    });

    it('goes page by page', async () => {
      const user = await app.user();
      const chats = [await user.group(), await user.group()];
      for (const one of chats) await user.say(one);
      const client = await open(user);
      client.send({ type: 'sync', cursors: {}, limit: 1 });
      const { next_chat_id } = await client.nextOf('sync');
      client.send({ type: 'sync', cursors: {}, limit: 1, after_chat_id: next_chat_id });
      await client.next(() => client.received.filter(({ type }) => type === 'sync').length === 2);
      const pages = client.received.map((news) => news.chats.map(({ id }: Chat) => id));
      expect(pages).toEqual(chats.map(({ id }) => [id]));
    });

    const deep = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
    it.each([
      ['no cursors', '{"type":"sync"}', 'cursors'],
      ['cursors that are a list', '{"type":"sync","cursors":[]}', 'cursors'],
      ['a cursor with an unknown field', '{"type":"sync","cursors":{"1":{"seq":1,"change_seq":1,"x":1}}}', 'cursors'],
      ['cursors of great depth', `{"type":"sync","cursors":${deep(10_000)}}`, 'cursors'],
      ['a cursor of great depth', `{"type":"sync","cursors":{"1":{"seq":${deep(10_000)},"change_seq":1}}}`, 'cursors'],
      [
        'a list of great depth',
        `{"type":"sync","cursors":{},"limit":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
        'limit',
      ],
      ['an unknown field of great depth', `{"type":"sync","cursors":{},"x":${deep(10_000)}}`, 'x'],
      ['a prototype', '{"type":"sync","cursors":{"__proto__":{"seq":1,"change_seq":1}}}', 'cursors'],
    ])('is refused: %s', async (_, frame, field) => {
      const client = await open(bob);
      client.send(frame);
      expect(await client.nextOf('error')).toMatchObject({ code: 'validation_failed', errors: [{ field }] });
      await client.ping();
      client.socket.close();
    });
  });

  it('carries out frames in their order', async () => {
    const client = await open(ada);
    const { client_message_id } = { client_message_id: `key-${unique()}` };
    client.send({ chat_id: chat.id, text: 'sent', client_message_id });
    client.send(edit(message, 'edited'));
    client.send({ type: 'sync', cursors: { [chat.id]: { seq: 1, change_seq: 0 } } });
    const { chats } = (await client.nextOf('sync')) as News;
    expect(chats.find(({ id }) => id === chat.id)?.messages.map(({ text }) => text)).toEqual(['sent', 'edited']);
  });
});
