import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createClient } from './generated/sdk/client/index.js';
import * as api from './generated/sdk/index.js';

// The journey of docs/sdks.md with @hey-api/openapi-ts.

let token: string | undefined;

const clientOf = (baseUrl: string) => createClient({ baseUrl, auth: () => token });

const client = clientOf(process.env.WINDI_URL!);
const tomorrow = clientOf(process.env.WINDI_TOMORROW_URL!);

/** What a call has returned; throws when it was refused. */
function dataOf<T>({ data, error, response }: { data?: T; error?: unknown; response?: Response }): T {
  assert.ok(data !== undefined, `${response?.status} ${JSON.stringify(error)}`);
  return data;
}

async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  const result = await run();
  console.log(`ok ${name}`);
  return result;
}

async function register(name: string, email: string): Promise<number> {
  const body = { name, email, password: 'correct horse' };
  return dataOf(await api.register({ client, body })).id;
}

const email = `ada-${randomUUID()}@example.org`;
const friendEmail = `grace-${randomUUID()}@example.org`;

const [grace, ada] = await step('register', async () => {
  const friend = await register('Grace Hopper', friendEmail);
  return [friend, await register('Ada Lovelace', email)] as const;
});

const tokens = await step('login', async () =>
  dataOf(await api.login({ client, body: { username: email, password: 'correct horse' } })),
);
token = tokens.access_token;

await step('me', async () => assert.equal(dataOf(await api.getMe({ client })).id, ada));

await step('find a user', async () => {
  const users = dataOf(await api.searchUsers({ client, query: { query: friendEmail } }));
  assert.deepEqual(
    users.map(({ id }) => id),
    [grace],
  );
});

const chat = await step('private chat', async () => {
  const made = dataOf(await api.createChat({ client, body: { type: 'private', user_id: grace } }));
  assert.equal(made.last_message, null);
  return made.id;
});

const sent = { chat_id: chat, text: 'Привет!', client_message_id: randomUUID() };
const message = await step('send', async () => {
  const answer = await api.sendMessage({ client, body: sent });
  assert.equal(answer.response?.status, 201);
  return dataOf(answer);
});

await step('replay', async () => {
  const answer = await api.sendMessage({ client, body: sent });
  assert.equal(answer.response?.status, 200);
  assert.equal(answer.response?.headers.get('Idempotent-Replayed'), 'true');
  assert.equal(dataOf(answer).id, message.id);
});

await step('conflict', async () => {
  const { error, response } = await api.sendMessage({ client, body: { ...sent, text: 'Other' } });
  assert.equal(response?.status, 409);
  assert.equal(error?.code, 'client_message_id_conflict');
});

await step('history', async () => {
  const answer = await api.getHistory({ client, path: { chat_id: chat } });
  assert.deepEqual(
    dataOf(answer).map(({ text }) => text),
    ['Привет!'],
  );
  assert.equal(answer.response?.headers.get('X-Total-Count'), '1');
});

await step('read', async () => {
  const receipt = dataOf(await api.readMessage({ client, path: { id: message.id } }));
  assert.equal(receipt.message_id, message.id);
});

const group = await step('group', async () => dataOf(await api.createGroup({ client, body: { name: 'Engines' } })).id);
const membership = { client, path: { group_id: group, user_id: grace } };

await step('add member', async () => {
  const member = dataOf(await api.addMember(membership));
  assert.equal(member.role, 'member');
});

await step('remove member', async () => {
  const { response } = await api.removeMember(membership);
  assert.equal(response?.status, 204);
});

await step('edit', async () => {
  const path = { id: message.id };
  const edited = dataOf(await api.editMessage({ client, path, body: { text: 'Hello' } }));
  assert.equal(edited.text, 'Hello');
  assert.equal(typeof edited.edited_at, 'string');
});

await step('delete', async () => {
  const deleted = dataOf(await api.deleteMessage({ client, path: { id: message.id } }));
  assert.equal(deleted.text, null);
});

await step('sync', async () => {
  const cursors = { [chat]: { seq: 1, change_seq: 0 } };
  const news = dataOf(await api.sync({ client, body: { cursors } }));
  const changed = news.chats.find(({ id }) => id === chat);
  assert.equal(typeof changed?.messages[0]?.deleted_at, 'string');
});

token = await step('refresh', async () => {
  const body = { refresh_token: tokens.refresh_token, client_refresh_id: randomUUID() };
  return dataOf(await api.refresh({ client, body })).access_token;
});

const path = { id: 999_999_999 };

await step('typed error', async () => {
  const { error, response } = await api.getChat({ client, path });
  assert.equal(response?.status, 404);
  assert.equal(error?.code, 'chat_not_found');
});

await step('unknown code', async () => {
  const { error, response } = await api.getChat({ client: tomorrow, path });
  assert.equal(response?.status, 404);
  assert.equal(error?.code, 'code_of_tomorrow');
});

await step('unknown field', async () => assert.equal(dataOf(await api.getMe({ client: tomorrow })).id, ada));
