// What the pages of Chromium run that measure the first sync.
import { createClient, indexedDbStorage } from '../dist/index.js';
import { synced, WatchedStorage } from './watched-storage.js';

/** Milliseconds from the start of a client with an empty storage until all is shown, and until all is in IndexedDB. */
async function measure({ url, session, chats, messages }) {
  const kept = await indexedDbStorage();
  await kept.session.save(session);
  const storage = new WatchedStorage(kept);
  const begin = globalThis.performance.now();
  const client = await createClient({ url, storage });
  await synced(client);
  const shown = globalThis.performance.now() - begin;
  await storage.untilWritten(chats, chats * messages);
  const stored = globalThis.performance.now() - begin;
  await client.close();
  const database = await kept.open(session.account.id);
  const found = await database.load();
  await database.close();
  if (found.chats.length !== chats || found.messages.length !== chats * messages)
    throw new Error(`${found.chats.length} chats and ${found.messages.length} messages are stored`);
  return { shown, stored };
}

globalThis.measure = measure;
