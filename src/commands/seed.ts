import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CONVERSATIONS, PEOPLE, PASSWORD, type Conversation, linesOf } from './demo-data.js';

/**
 * `npm run seed`: fills a running application with demo people, chats and a few thousand messages, over REST as a
 * client would. Running it again changes nothing: people and chats are found, and each message has an idempotency key,
 * so it is a replay.
 */
const { values } = parseArgs({ options: { url: { type: 'string', default: 'http://localhost:8000' } } });
const base = values.url;
/** Conversations that are filled at once, with one request each. */
const PARALLEL = 16;

interface Account {
  id: number;
  token: string;
}

/** Calls the API; waits and repeats when the rate limit refuses. An email that is taken is no error here. */
async function call<T>(
  method: string,
  path: string,
  { token, body }: { token?: string; body?: object } = {},
): Promise<T> {
  const response = await fetch(base + path, {
    method,
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  });
  if (response.status === 429) {
    await delay(Number(response.headers.get('retry-after')) * 1000);
    return call(method, path, { token, body });
  }
  const answer = (await response.json()) as T & { code?: string; detail?: string };
  if (!response.ok && answer.code !== 'email_taken') {
    throw new Error(`${method} ${path}: ${response.status} ${answer.code}: ${answer.detail}`);
  }
  return answer;
}

/** Registers a person, unless they are, and logs them in. */
async function account(name: string, email: string): Promise<Account> {
  await call('POST', '/auth/register', { body: { name, email, password: PASSWORD } });
  const { access_token: token } = await call<{ access_token: string }>('POST', '/auth/login', {
    body: { username: email, password: PASSWORD },
  });
  return { id: (await call<{ id: number }>('GET', '/auth/me', { token })).id, token };
}

/** The id of the conversation's chat, which is made when its first member doesn't have it yet. */
async function chatOf({ group }: Conversation, [owner, ...others]: Account[]): Promise<number> {
  const { token } = owner!;
  const ids = others.map(({ id }) => id);
  if (group === undefined) {
    return (await call<{ id: number }>('POST', '/chats', { token, body: { type: 'private', user_id: ids[0] } })).id;
  }
  const chats = await call<{ id: number; name: string }[]>('GET', '/chats?limit=100', { token });
  const present = chats.find(({ name }) => name === group);
  return (present ?? (await call<{ id: number }>('POST', '/groups', { token, body: { name: group, member_ids: ids } })))
    .id;
}

/** Sends a conversation, one message after the other to keep their order; returns how many. */
async function fill(conversation: Conversation, accounts: ReadonlyMap<string, Account>): Promise<number> {
  const members = conversation.members.map((email) => accounts.get(email)!);
  const chatId = await chatOf(conversation, members);
  const lines = linesOf(conversation);
  for (const [index, { author, text }] of lines.entries()) {
    const body = { chat_id: chatId, text, client_message_id: `seed-${index}` };
    await call('POST', '/messages', { token: members[author]!.token, body });
  }
  return lines.length;
}

async function seed(): Promise<void> {
  const accounts = new Map<string, Account>();
  for (const { name, email } of PEOPLE) accounts.set(email, await account(name, email));
  let messages = 0;
  const waiting = [...CONVERSATIONS];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const sent = await fill(next, accounts);
      messages += sent;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  console.log(
    `${PEOPLE.length} people, ${CONVERSATIONS.length} chats and ${messages} messages are at ${base}. Log in with:\n`,
  );
  for (const { name, email } of PEOPLE) console.log(`  ${name.padEnd(18)} ${email.padEnd(24)} ${PASSWORD}`);
}

try {
  await seed();
} catch (error) {
  const refused = (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED';
  console.error(
    refused ? `Nothing answers at ${base}: run "npm start" first, or give --url.` : (error as Error).message,
  );
  process.exitCode = 1;
}
