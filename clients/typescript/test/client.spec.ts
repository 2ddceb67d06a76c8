import { TestApp, type TestUser } from '../../../test/support/test-app.js';
import type { ChatHandle } from '../src/chat.js';
import type { Client } from '../src/client.js';
import { Clients, until } from './clients.js';

describe('a client', () => {
  let app: TestApp;
  const clients = new Clients(() => app);

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(async () => {
    await clients.close();
    await app.close();
  });

  /** Two people with a client each, and their chat. */
  async function pair(): Promise<{ ada: Client; bob: Client; of: (client: Client) => ChatHandle; people: TestUser[] }> {
    const people = await app.users(2);
    const { id } = await people[0]!.privateChat(people[1]!);
    const [ada, bob] = (await Promise.all(people.map((user) => clients.of(user)))) as [Client, Client];
    return { ada, bob, of: (client) => client.chat(id), people };
  }
  const textsOf = (chat: ChatHandle, keys: readonly string[]) => keys.map((key) => chat.message(key).get()!.text);

  it('shows a message from the outbox on until it is read, as the same object in all lists', async () => {
    const { ada, bob, of } = await pair();
    const shown = of(ada).messages();
    const key = await of(ada).send('Hello!');
    expect(of(ada).message(key).get()).toMatchObject({ status: 'sending', text: 'Hello!', id: null });
    expect(shown.state.get().keys).toEqual([key]);
    expect(ada.chats.list.get()[0]!.last_message).toBe(of(ada).message(key).get());
    await until(of(ada).message(key), (message) => message?.status === 'sent');
    expect(shown.state.get().keys).toEqual([key]);
    const chat = await until(bob.chats.list, ([first]) => first?.last_message?.text === 'Hello!');
    expect(chat[0]).toMatchObject({ unread_count: 1, peer: { id: ada.session.userId } });
    await of(bob).read();
    expect(bob.chats.list.get()[0]!.unread_count).toBe(0);
    const read = await until(of(ada).message(key), (message) => message?.status === 'read');
    expect(ada.chats.list.get()[0]!.last_message).toBe(read);
  });

  it('keeps the order of what is sent at once', async () => {
    const { ada, bob, of } = await pair();
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    const keys = await Promise.all(texts.map((text) => of(ada).send(text)));
    const theirs = of(bob).messages();
    await until(theirs.state, (state) => state.keys.length === 20);
    expect(theirs.state.get().keys).toEqual(keys);
    expect(textsOf(of(bob), keys)).toEqual(texts);
  });

  it('edits and deletes, at once here and then for all', async () => {
    const { ada, bob, of } = await pair();
    const key = await of(ada).send('wrong');
    await of(ada).edit(key, 'right');
    expect(of(ada).message(key).get()).toMatchObject({ text: 'right' });
    await until(of(bob).message(key), (message) => message?.text === 'right');
    await until(of(ada).message(key), (message) => message?.status === 'sent' && message.change === null);
    await of(ada).remove(key);
    expect(of(ada).message(key).get()).toMatchObject({ text: null, change: { kind: 'delete', status: 'sending' } });
    await until(of(bob).message(key), (message) => message?.deleted_at !== null);
    await until(of(ada).message(key), (message) => message?.deleted_at !== null && message?.change === null);
  });

  it('says which refusal is final, and tries again or gives up', async () => {
    const { ada, bob, of, people } = await pair();
    await people[1]!.put(`/users/${people[0]!.id}/block`);
    const key = await of(ada).send('blocked');
    await until(of(ada).message(key), (message) => message?.status === 'failed');
    expect(of(ada).message(key).get()!.error).toBe('blocked');
    await people[1]!.delete(`/users/${people[0]!.id}/block`);
    await of(ada).retry(key);
    await until(of(bob).message(key), (message) => message?.text === 'blocked');
    await people[1]!.put(`/users/${people[0]!.id}/block`);
    const other = await of(ada).send('dropped');
    await until(of(ada).message(other), (message) => message?.status === 'failed');
    await of(ada).drop(other);
    expect(of(ada).message(other).get()).toBeUndefined();
  });

  it.each(['', '   ', 'x'.repeat(4097), 'half \ud800'])(
    'refuses a text that the server would refuse, and keeps nothing: %#',
    async (text) => {
      const { ada, of } = await pair();
      await expect(of(ada).send(text)).rejects.toMatchObject({
        code: 'validation_failed',
        errors: [{ field: 'text' }],
      });
      expect(of(ada).messages().state.get().keys).toEqual([]);
    },
  );

  it('pages through the history, and joins the end', async () => {
    const { ada, of, people } = await pair();
    for (let seq = 1; seq <= 60; seq += 1) await people[1]!.say(of(ada), `text ${seq}`);
    await until(of(ada).state, (state) => state?.last_seq === 60);
    const again = await clients.of(people[0]!);
    const chat = again.chat(of(ada).id);
    const shown = chat.messages({ limit: 10 });
    await until(shown.state, ({ keys, isLoading }) => keys.length === 10 && !isLoading);
    expect(textsOf(chat, shown.state.get().keys).at(-1)).toBe('text 60');
    await shown.older();
    await shown.older();
    expect(textsOf(chat, shown.state.get().keys)).toEqual(
      Array.from({ length: 30 }, (_, index) => `text ${index + 31}`),
    );
    const middle = chat.messages({ around: 10, limit: 10 });
    await until(middle.state, ({ keys }) => keys.length > 0);
    expect(textsOf(chat, middle.state.get().keys)).toContain('text 10');
    expect(middle.state.get()).toMatchObject({ hasOlder: true, hasNewer: true });
    while (middle.state.get().hasNewer) await middle.newer();
    await middle.older();
    expect(middle.state.get()).toMatchObject({ hasOlder: false });
    expect(middle.state.get().keys).toHaveLength(60);
    await people[1]!.say(chat, 'text 61');
    await until(middle.state, ({ keys }) => keys.length === 61);
    expect(shown.state.get().keys).toHaveLength(31);
  });

  it('makes chats and groups, and shows members and who types', async () => {
    const [one, two, three] = (await app.users(3)) as [TestUser, TestUser, TestUser];
    const ada = await clients.of(one);
    const bob = await clients.of(two);
    const { id } = await ada.chats.createGroup('A group', [two.id]);
    expect(ada.chats.list.get().map((chat) => chat.id)).toEqual([id]);
    await until(bob.chat(id).state, (chat) => chat !== undefined);
    await bob.chat(id).loadMembers();
    await ada.chat(id).addMember(three.id);
    await until(bob.chat(id).state, (chat) => chat?.members?.length === 3);
    ada.chat(id).typing(true);
    await until(bob.chat(id).state, (chat) => chat?.typing[0] === one.id);
    await ada.chat(id).send('done');
    await until(bob.chat(id).state, (chat) => chat?.typing.length === 0);
    await ada.chat(id).rename('Another name');
    await ada.chat(id).setRole(two.id, 'admin');
    await until(bob.chat(id).state, (chat) => chat?.name === 'Another name' && chat.my_role === 'admin');
    await ada.chat(id).removeMember(two.id);
    await until(bob.chat(id).state, (chat) => chat === undefined);
    expect(bob.chats.list.get()).toEqual([]);
    const notes = await ada.chats.openPrivate(one.id);
    expect(ada.chat(notes).state.get()!.peer!.id).toBe(one.id);
  });
});
