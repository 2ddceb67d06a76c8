import { request } from '../support/http.js';

/** The password of everybody here. It is that of the document's examples, so that those are true. */
export const PASSWORD = 'correct horse';

const PEOPLE = ['Ada Lovelace', 'Grace Hopper', 'Alan Turing'];
const GROUPS = 20;

/**
 * Makes three people, twenty groups with all of them, a message in each, and a private chat. In a new database their ids
 * are 1, 2, 3 … as schemathesis.toml has them.
 * @returns a token of the first, who owns the groups
 */
export async function populate(url: string): Promise<string> {
  const call = async (method: string, path: string, body: unknown, token?: string): Promise<any> => {
    const answer = await request(url, method, path, { body, token });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const emailOf = (name: string): string => `${name.split(' ')[0]!.toLowerCase()}@example.com`;
  for (const name of PEOPLE) await call('POST', '/auth/register', { name, email: emailOf(name), password: PASSWORD });
  const login = { username: emailOf(PEOPLE[0]!), password: PASSWORD };
  const { access_token: token } = await call('POST', '/auth/login', login);
  for (let number = 1; number <= GROUPS; number += 1) {
    const group = await call('POST', '/groups', { name: `Group ${number}`, member_ids: [2, 3] }, token);
    await call('POST', '/messages', { chat_id: group.id, text: 'Hello' }, token);
  }
  await call('POST', '/chats', { type: 'private', user_id: 2 }, token);
  return token;
}
