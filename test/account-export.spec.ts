import type { Message } from '../src/contract/messages.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('account export', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  it('holds everything stored about the user, and no messages of others', async () => {
    const [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
    await app.login(ada);
    const [left, group, chat] = [await bob.group(ada), await ada.group(bob), await ada.privateChat(bob)];
    const said = [await ada.say(left), await ada.say(group), await ada.say(chat), await ada.say(group)];
    for (const place of [left, group, chat]) await bob.say(place, 'A word of Bob');
    await ada.delete(`/messages/${said[1]!.id}`);
    await ada.delete(`/groups/${left.id}/members/${ada.id}`);
    await ada.put(`/users/${bob.id}/block`);
    const { status, headers, body } = await ada.get('/users/me/export');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(headers.get('content-disposition')).toMatch(/^attachment/);
    expect(body.account).toEqual((await ada.get('/auth/me')).body);
    expect(body.sessions).toEqual((await ada.get('/auth/sessions')).body);
    expect(body.sessions).toHaveLength(2);
    expect(body.blocked).toEqual((await ada.get('/users/blocked')).body);
    expect(body.chats).toMatchObject([
      { chat_id: group.id, type: 'group', name: group.name, role: 'owner', last_read_seq: 2 },
      { chat_id: chat.id, type: 'private', name: bob.name, role: 'member', last_read_seq: 1 },
    ]);
    const shown = (body.messages as Message[]).map(({ id, text }) => [id, text]);
    const [first, second, third, fourth] = said;
    expect(shown).toEqual([
      [first!.id, first!.text],
      [second!.id, null],
      [fourth!.id, fourth!.text],
      [third!.id, third!.text],
    ]);
    expect(JSON.stringify(body)).not.toMatch(/A word of Bob|argon2|hash/);
  });

  it('is complete, however large it is', async () => {
    const [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
    const chat = await ada.privateChat(bob);
    const [hers, his] = [await ada.device(), await bob.device()];
    for (let round = 0; round < 6; round += 1) {
      const sends = Array.from({ length: 500 }, (_, index) => ({
        chat_id: chat.id,
        text: 'x'.repeat(200),
        client_message_id: `${round}-${index}`,
      }));
      await Promise.all(sends.map((send, index) => (index % 5 === 0 ? his : hers).command('message:send', send)));
    }
    const { messages } = (await ada.get('/users/me/export')).body as { messages: Message[] };
    expect(messages).toHaveLength(2_400);
    expect(new Set(messages.map(({ sender_id }) => sender_id))).toEqual(new Set([ada.id]));
    const seqs = messages.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((one, other) => one - other));
  });
});
