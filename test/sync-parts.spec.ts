import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import type { News, SyncRequest } from '../src/contract/sync.js';
import { Replica } from './support/replica.js';
import { TestApp, type TestUser } from './support/test-app.js';

const PART = 2;

describe('sync in parts', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  it('brings a client to the present whose cursors are too many for one call', async () => {
    const [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
    const sayMany = (chat: Chat, count: number) => Promise.all(Array.from({ length: count }, () => ada.say(chat)));
    const replica = new Replica(bob.id);
    const requests: SyncRequest[] = [];
    const sync = async (request: SyncRequest): Promise<News> => {
      requests.push(request);
      return (await bob.post<News>('/sync', request)).body;
    };
    const chats: Chat[] = [];
    for (const people of [[bob], [bob], [], [bob], [bob], [bob]]) chats.push(await ada.group(...people));
    const [removed, renamed, joined, quiet, , far] = chats as [Chat, Chat, Chat, Chat, Chat, Chat];
    await sayMany(quiet, 2);
    await replica.catchUp(sync, 9, PART);

    await ada.delete(`/groups/${removed.id}/members/${bob.id}`);
    await ada.patch(`/groups/${renamed.id}`, { name: 'Renamed' });
    await sayMany(joined, 3);
    await ada.put(`/groups/${joined.id}/members/${bob.id}`);
    // Without its cursor, only the newest 20 would come.
    await sayMany(far, 25);
    const made = await ada.group(bob);
    await sayMany(made, 1);
    requests.length = 0;
    await replica.catchUp(sync, 9, PART);

    expect(Math.max(...requests.map(({ cursors }) => Object.keys(cursors).length))).toBe(PART);
    const views = (await bob.get<Chat[]>('/chats')).body;
    expect(new Set(replica.chats.keys())).toEqual(new Set(views.map(({ id }) => id)));
    for (const { id, name } of views) {
      const { chat, messages } = replica.chats.get(id)!;
      const stored = (await bob.get<Message[]>(`/history/${id}?limit=100`)).body;
      expect([chat.name, [...messages.values()].sort((a, b) => a.seq - b.seq)]).toEqual([name, stored]);
    }
    expect(await sync({ cursors: replica.cursors() })).toMatchObject({ chats: [], removed_chat_ids: [] });
  });
});
