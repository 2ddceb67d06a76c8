import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chat } from '../../../src/contract/chats.js';
import type { Message } from '../../../src/contract/messages.js';
import { fileStorage } from '../src/node/file-storage.js';
import { indexedDbStorage } from '../src/storage/indexeddb.js';
import { memoryStorage } from '../src/storage/memory.js';
import { type KeptSession, type NewEntry, NO_CHANGES, type Storage, type StoredChat } from '../src/storage/storage.js';
import { installIndexedDb } from './indexed-db.js';

const chatOf = (id: number, from = 1, seq = 1): StoredChat => ({
  id,
  chat: { id, name: 'Привет' } as Chat,
  from,
  seq,
  change_seq: 0,
  members: null,
});
const messageOf = (chat_id: number, seq: number, text = 'text') => ({ id: seq, chat_id, seq, text }) as Message;
const entryOf = (key: string): NewEntry => ({
  kind: 'send',
  chat_id: 1,
  key,
  text: 'text',
  created_at: '2026-11-27T00:00:00.000Z',
  cuts: 0,
  error: null,
});

describe('storages', () => {
  let folder: string;
  let uninstall: () => void;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'windi-client-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(() => (uninstall = installIndexedDb()));
  afterEach(() => uninstall());

  let serial = 0;
  const places: [string, () => Promise<() => Promise<Storage>>][] = [
    [
      'memory',
      () =>
        Promise.resolve(
          (
            (storage) => () =>
              Promise.resolve(storage)
          )(memoryStorage()),
        ),
    ],
    [
      'a file',
      () =>
        Promise.resolve(
          (
            (path) => () =>
              fileStorage(path)
          )(join(folder, String((serial += 1)))),
        ),
    ],
    ['IndexedDB', () => Promise.resolve(() => indexedDbStorage())],
  ];

  describe.each(places)('in %s', (kind, place) => {
    it('keep chats, messages and the outbox in its order, and write changes together', async () => {
      const start = await place();
      const database = await (await start()).open(1);
      const one = await database.add(entryOf('one'), []);
      const two = await database.add(entryOf('two'), []);
      const three = await database.add(entryOf('three'), [one.position]);
      await database.write({ ...NO_CHANGES, chats: [chatOf(1, 1, 2)], messages: [messageOf(1, 1), messageOf(1, 2)] });
      await database.write({
        ...NO_CHANGES,
        messages: [messageOf(1, 2, 'changed'), messageOf(2, 1)],
        entries: [
          { ...three, cuts: 2 },
          { ...one, cuts: 1 },
        ],
        removed: [two.position],
      });
      await database.close();
      const again = await (await start()).open(1);
      expect(await again.outbox()).toEqual([{ ...three, cuts: 2 }]);
      const { chats, messages } = await again.load();
      expect(chats).toEqual([chatOf(1, 1, 2)]);
      expect(messages.map(({ chat_id, seq, text }) => [chat_id, seq, text])).toEqual([
        [1, 1, 'text'],
        [1, 2, 'changed'],
        [2, 1, 'text'],
      ]);
      expect((await again.add(entryOf('four'), [])).position).toBeGreaterThan(three.position);
      await again.close();
    });

    it('delete what is below the first message of a chat, and what is dropped', async () => {
      const start = await place();
      const database = await (await start()).open(1);
      const messages = [1, 2, 3].flatMap((seq) => [messageOf(1, seq), messageOf(2, seq)]);
      await database.write({ ...NO_CHANGES, chats: [chatOf(1), chatOf(2)], messages });
      await database.write({ ...NO_CHANGES, chats: [chatOf(1, 3, 3)], dropped: [2] });
      const held = await database.load();
      expect(held.chats.map(({ id }) => id)).toEqual([1]);
      expect(held.messages.map(({ chat_id, seq }) => [chat_id, seq])).toEqual([[1, 3]]);
      const entry = await database.add(entryOf('one'), []);
      await database.dropCache();
      expect(await database.load()).toEqual({ chats: [], messages: [] });
      expect(await database.outbox()).toEqual([entry]);
      await database.close();
    });

    it('keep users apart, and delete one of them', async () => {
      const start = await place();
      const storage = await start();
      const [one, two] = [await storage.open(1), await storage.open(2)];
      await one.add(entryOf('one'), []);
      await two.add(entryOf('two'), []);
      await one.destroy();
      await two.close();
      const again = await start();
      expect(await (await again.open(1)).outbox()).toEqual([]);
      expect(await (await again.open(2)).outbox()).toHaveLength(1);
    });

    it('keep the session', async () => {
      const start = await place();
      const session = { refresh_token: 'token' } as KeptSession;
      expect(await (await start()).session.load()).toBeUndefined();
      await (await start()).session.save(session);
      expect(await (await start()).session.load()).toEqual(session);
      await (await start()).session.save(undefined);
      expect(await (await start()).session.load()).toBeUndefined();
      expect((await start()).isPersistent).toBe(kind !== 'memory');
    });
  });

  it('take up a file that a crash has cut short, and keep its size in bounds', async () => {
    const path = join(folder, 'torn');
    const database = await (await fileStorage(path)).open(1);
    const entry = await database.add(entryOf('one'), []);
    for (let round = 0; round < 100; round += 1) {
      await database.write({ ...NO_CHANGES, messages: [messageOf(1, 1, 'x'.repeat(1_000))] });
    }
    await database.close();
    await appendFile(join(path, 'user-1.jsonl'), '{"entry":{"posi');
    const again = await (await fileStorage(path)).open(1);
    expect(await again.outbox()).toEqual([entry]);
    expect((await stat(join(path, 'user-1.jsonl'))).size).toBeLessThan(5_000);
    expect((await stat(join(path, 'user-1.jsonl'))).mode & 0o077).toBe(0);
    await again.close();
  });

  it('say so where there is no IndexedDB, and use memory', async () => {
    uninstall();
    const storage = await indexedDbStorage();
    expect(storage.isPersistent).toBe(false);
    const database = await storage.open(1);
    expect(await database.add(entryOf('one'), [])).toMatchObject({ key: 'one' });
  });
});
