// Applies live messages to a full store, in Node and in Chromium.
import { createClient, indexedDbStorage, memoryStorage } from '../dist/index.js';
import { NO_NEWS, socket } from './local-socket.js';
import { synced, WatchedStorage } from './watched-storage.js';

const ME = 1;
const PEER = 2;
const TIME = Date.parse('2026-01-01T00:00:00.000Z');

const timeOf = (number) => new Date(TIME + number).toISOString();

const messageOf = (chatId, seq, number) => ({
  id: number,
  chat_id: chatId,
  seq,
  sender_id: PEER,
  text: `Message ${seq} of chat ${chatId}`,
  timestamp: timeOf(number),
  is_read: false,
  client_message_id: `key-${chatId}-${seq}`,
  change_seq: null,
  reply_to_id: null,
  edited_at: null,
  deleted_at: null,
});

const chatOf = (id, last_message) => ({
  id,
  type: 'group',
  name: `Group ${id}`,
  creator_id: PEER,
  created_at: timeOf(0),
  last_seq: last_message.seq,
  last_change_seq: 0,
  activity_cursor: `${last_message.id}`,
  last_read_seq: 0,
  read_by_all_seq: 0,
  unread_count: last_message.seq,
  member_count: 2,
  my_role: 'member',
  peer: null,
  last_message,
});

/** Fills a database as a client leaves it. */
async function fill(storage, chats, messages) {
  const database = await storage.open(ME);
  const changes = { dropped: [], chats: [], messages: [], entries: [], removed: [] };
  for (let id = 1; id <= chats; id += 1) {
    const own = Array.from({ length: messages }, (_, index) => messageOf(id, index + 1, index * chats + id));
    changes.messages.push(...own);
    changes.chats.push({ id, chat: chatOf(id, own.at(-1)), from: 1, seq: messages, change_seq: 0, members: null });
  }
  await database.write(changes);
  if (storage.isPersistent) await database.close();
}

async function openClient(storage) {
  const account = { id: ME, name: 'Ada Lovelace', email: 'ada@example.org', addable_by: 'everyone' };
  await storage.session.save({ account, access_token: '', refresh_token: '', expires_at: Date.now() + 900_000 });
  // A sync with many cursors goes over REST.
  const fetch = () => Promise.resolve(globalThis.Response.json(NO_NEWS));
  const client = await createClient({ url: 'http://localhost', storage, fetch });
  await synced(client);
  await storage.untilIdle();
  return client;
}

/** Shows what an app shows: the list of chats, and the newest messages of one. Returns the last of its lists. */
function show(client) {
  const seen = {};
  client.chats.list.subscribe((list) => (seen.list = list));
  const { state } = client.chat(1).messages();
  state.subscribe(({ keys }) => {
    seen.keys = keys;
    seen.last = client.chat(1).message(keys.at(-1)).get();
  });
  return seen;
}

/** Applies a round of messages, in turns to a tenth of the chats. Returns the milliseconds, and until all is stored. */
async function apply(storage, { chats, messages, events }, round) {
  const active = chats / 10;
  const payloads = Array.from({ length: events }, (_, index) => {
    const sequel = (round * events + index - (index % active)) / active + 1;
    return messageOf((index % active) + 1, messages + sequel, chats * messages + round * events + index + 1);
  });
  const begin = globalThis.performance.now();
  for (const payload of payloads) socket.receive('message:created', payload);
  const applied = globalThis.performance.now() - begin;
  await storage.untilIdle();
  return { applied, stored: globalThis.performance.now() - begin, last: payloads.at(-1) };
}

/** For each round the times when nobody looks, and after that as many when an app shows the list and one of the chats. */
async function measure(plan) {
  const { chats, messages, rounds } = plan;
  const kept = await indexedDbStorage('bench');
  const storage = new WatchedStorage(kept.isPersistent ? kept : memoryStorage());
  await fill(storage, chats, messages);
  const client = await openClient(storage);
  const results = [];
  for (let round = 0; round < rounds; round += 1) {
    const { applied, stored } = await apply(storage, plan, round);
    results.push({ applied, stored });
  }
  const seen = show(client);
  for (let round = 0; round < rounds; round += 1) {
    const { applied, last } = await apply(storage, plan, rounds + round);
    if (seen.list[0].last_message.id !== last.id || seen.last.text === undefined)
      throw new Error('The messages are not shown.');
    results[round]['applied and shown'] = applied;
  }
  await client.close();
  return results;
}

globalThis.measure = measure;
