import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import createClient from 'openapi-fetch';
import type { components, paths } from './generated/schema.js';

// The journey of docs/sdks.md with openapi-typescript and openapi-fetch.

type Tokens = components['schemas']['Tokens'];

let token: string | undefined;

function clientOf(baseUrl: string) {
  const client = createClient<paths>({ baseUrl });
  client.use({
    onRequest({ request }) {
      if (token !== undefined) request.headers.set('Authorization', `Bearer ${token}`);
    },
  });
  return client;
}

const api = clientOf(process.env.WINDI_URL!);
const tomorrow = clientOf(process.env.WINDI_TOMORROW_URL!);

/** What a call has returned; throws when it was refused. */
function dataOf<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }): T {
  assert.ok(data !== undefined, `${response.status} ${JSON.stringify(error)}`);
  return data;
}

async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  const result = await run();
  console.log(`ok ${name}`);
  return result;
}

async function register(name: string, email: string): Promise<number> {
  const body = { name, email, password: 'correct horse' };
  return dataOf(await api.POST('/auth/register', { body })).id;
}

const email = `ada-${randomUUID()}@example.org`;
const friendEmail = `grace-${randomUUID()}@example.org`;

const [grace, ada] = await step('register', async () => {
  const friend = await register('Grace Hopper', friendEmail);
  return [friend, await register('Ada Lovelace', email)] as const;
});

const tokens = await step('login', async (): Promise<Tokens> => {
  // With this header openapi-fetch writes the body as a form.
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return dataOf(await api.POST('/auth/login', { headers, body: { username: email, password: 'correct horse' } }));
});
token = tokens.access_token;

await step('me', async () => assert.equal(dataOf(await api.GET('/auth/me')).id, ada));

await step('find a user', async () => {
  const users = dataOf(await api.GET('/users', { params: { query: { query: friendEmail } } }));
  assert.deepEqual(
    users.map(({ id }) => id),
    [grace],
  );
});

const chat = await step('private chat', async () => {
  const made = dataOf(await api.POST('/chats', { body: { type: 'private', user_id: grace } }));
  assert.equal(made.last_message, null);
  return made.id;
});

const sent = { chat_id: chat, text: 'Привет!', client_message_id: randomUUID() };
const message = await step('send', async () => {
  const answer = await api.POST('/messages', { body: sent });
  assert.equal(answer.response.status, 201);
  return dataOf(answer);
});

await step('replay', async () => {
  const answer = await api.POST('/messages', { body: sent });
  assert.equal(answer.response.status, 200);
  assert.equal(answer.response.headers.get('Idempotent-Replayed'), 'true');
  assert.equal(dataOf(answer).id, message.id);
});

await step('conflict', async () => {
  const { error, response } = await api.POST('/messages', { body: { ...sent, text: 'Other' } });
  assert.equal(response.status, 409);
  assert.equal(error?.code, 'client_message_id_conflict');
});

await step('history', async () => {
  const answer = await api.GET('/messages/history/{chat_id}', { params: { path: { chat_id: chat } } });
  assert.deepEqual(
    dataOf(answer).map(({ text }) => text),
    ['Привет!'],
  );
  assert.equal(answer.response.headers.get('X-Total-Count'), '1');
});

await step('read', async () => {
  const receipt = dataOf(await api.POST('/messages/{id}/read', { params: { path: { id: message.id } } }));
  assert.equal(receipt.message_id, message.id);
});

const group = await step('group', async () => dataOf(await api.POST('/groups', { body: { name: 'Engines' } })).id);
const membership = { params: { path: { group_id: group, user_id: grace } } };

await step('add member', async () => {
  const member = dataOf(await api.PUT('/groups/{group_id}/members/{user_id}', membership));
  assert.equal(member.role, 'member');
});

await step('remove member', async () => {
  const { response } = await api.DELETE('/groups/{group_id}/members/{user_id}', membership);
  assert.equal(response.status, 204);
});

await step('edit', async () => {
  const path = { id: message.id };
  const edited = dataOf(await api.PATCH('/messages/{id}', { params: { path }, body: { text: 'Hello' } }));
  assert.equal(edited.text, 'Hello');
  assert.equal(typeof edited.edited_at, 'string');
});

await step('delete', async () => {
  const deleted = dataOf(await api.DELETE('/messages/{id}', { params: { path: { id: message.id } } }));
  assert.equal(deleted.text, null);
});

await step('sync', async () => {
  const cursors = { [chat]: { seq: 1, change_seq: 0 } };
  const news = dataOf(await api.POST('/sync', { body: { cursors } }));
  const changed = news.chats.find(({ id }) => id === chat);
  assert.equal(typeof changed?.messages[0]?.deleted_at, 'string');
});

token = await step('refresh', async () => {
  const body = { refresh_token: tokens.refresh_token, client_refresh_id: randomUUID() };
  return dataOf(await api.POST('/auth/refresh', { body })).access_token;
});

const nowhere = { params: { path: { id: 999_999_999 } } };

await step('typed error', async () => {
  const { error, response } = await api.GET('/chats/{id}', nowhere);
  assert.equal(response.status, 404);
  assert.equal(error?.code, 'chat_not_found');
});

await step('unknown code', async () => {
  const { error, response } = await tomorrow.GET('/chats/{id}', nowhere);
  assert.equal(response.status, 404);
  assert.equal(error?.code, 'code_of_tomorrow');
});

await step('unknown field', async () => assert.equal(dataOf(await tomorrow.GET('/auth/me')).id, ada));
