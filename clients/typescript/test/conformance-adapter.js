// The package as a program that the conformance suite drives: see clients/conformance/README.md.
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { createClient } from '@windi-chat/client';
import { fileStorage } from '@windi-chat/client/node';

/** A page of an app shows so many messages. */
const NEWEST = 20;

let client;
let version = 0;
let wake = () => undefined;
let changed = new Promise((resolve) => (wake = resolve));

function change() {
  version += 1;
  wake();
  changed = new Promise((resolve) => (wake = resolve));
}

/** The windows on the chats, by their ids. */
const windows = new Map();

function windowOf(id) {
  if (!windows.has(id)) {
    const shown = client.chat(id).messages();
    windows.set(id, shown);
    const watched = new Set();
    const watch = () => {
      change();
      const { keys, hasOlder, isLoading } = shown.state.get();
      if (hasOlder && !isLoading && keys.length < NEWEST) shown.older().catch(() => undefined);
      for (const key of keys) {
        if (watched.has(key)) continue;
        watched.add(key);
        client.chat(id).message(key).subscribe(change);
      }
    };
    shown.state.subscribe(watch);
    watch();
  }
  return windows.get(id);
}

const show = ({ key, id, seq, sender_id, text, status, error, reply_to_id, edited_at, deleted_at, change: waits }) => ({
  ...{ key, id, seq, sender_id, text, status, error, reply_to_id, edited_at, deleted_at },
  change: waits && { kind: waits.kind, status: waits.status, error: waits.error },
});

function state() {
  const { connection, sync } = client.status.get();
  const chats = client.chats.list.get().map((chat) => ({
    ...chat,
    messages: windowOf(chat.id)
      .state.get()
      .keys.map((key) => show(client.chat(chat.id).message(key).get())),
  }));
  return {
    version,
    user_id: client.session.account.get()?.id ?? null,
    is_connected: connection === 'connected',
    is_synced: sync === 'synced',
    chats,
  };
}

async function stateAfter(after) {
  // A timer that nobody waits for any more does no harm.
  if (version <= after) await Promise.race([changed, setTimeout(10_000)]);
  return state();
}

const commands = {
  async open({ url, storage_path }) {
    client = await createClient({ url, storage: await fileStorage(storage_path) });
    client.status.subscribe(change);
    client.chats.list.subscribe(change);
    client.session.account.subscribe(change);
  },
  login: ({ email, password }) => client.session.login(email, password),
  async send({ chat_id, text, reply_to }) {
    const replied = reply_to && client.chat(chat_id).message(reply_to).get().id;
    return { key: await client.chat(chat_id).send(text, replied ? { reply_to_id: replied } : {}) };
  },
  edit: ({ chat_id, key, text }) => client.chat(chat_id).edit(key, text),
  remove: ({ chat_id, key }) => client.chat(chat_id).remove(key),
  read: ({ chat_id, key }) => client.chat(chat_id).read(key),
  retry: ({ chat_id, key }) => client.chat(chat_id).retry(key),
  drop: ({ chat_id, key }) => client.chat(chat_id).drop(key),
};

async function answer(request) {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/state') return stateAfter(Number(url.searchParams.get('after') ?? -1));
  let text = '';
  for await (const chunk of request) text += chunk;
  return (await commands[url.pathname.slice(1)](JSON.parse(text))) ?? {};
}

const server = createServer((request, response) => {
  answer(request).then(
    (body) => response.end(JSON.stringify(body)),
    (error) => response.writeHead(422).end(JSON.stringify({ code: error.code, message: String(error.stack) })),
  );
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
