import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How many messages are on their way at once while the data is made. */
const AT_ONCE = 16;

const LOGIN = { email: 'ada@example.org', password: 'correct horse' };

/** The built application with its own PostgreSQL, and a person who has `chats` chats of `messages` messages. */
export class SeededServer {
  constructor(folder, child, url) {
    Object.assign(this, { folder, child, url });
  }

  static async start(chats, messages) {
    const folder = await mkdtemp(join(tmpdir(), 'windi-client-bench-'));
    const env = { PATH: process.env.PATH, PORT: '0', DATA_DIR: folder, RATE_LIMIT: 'off', MAX_GROUPS_PER_DAY: '10000' };
    const child = spawn(process.execPath, ['dist/src/main.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const server = new SeededServer(folder, child, await addressIn(child));
    await server.seed(chats, messages);
    return server;
  }

  /** A new session, as a client keeps it. */
  async session() {
    const { email: username, password } = LOGIN;
    const { access_token, refresh_token, expires_in } = await this.post('/auth/login', { username, password });
    const account = await this.call('GET', '/auth/me', undefined, access_token);
    return { account, access_token, refresh_token, expires_at: Date.now() + 1_000 * expires_in };
  }

  async stop() {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  async seed(chats, messages) {
    await this.post('/auth/register', { name: 'Ada Lovelace', ...LOGIN });
    const { access_token } = await this.session();
    const left = Array.from({ length: chats }, (_, index) => `Group ${index + 1}`);
    const fill = async () => {
      for (let name = left.pop(); name; name = left.pop()) {
        const { id } = await this.post('/groups', { name, member_ids: [] }, access_token);
        for (let number = 1; number <= messages; number += 1) {
          await this.post('/messages', { chat_id: id, text: `Message ${number} of ${name}` }, access_token);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, fill));
  }

  post(path, body, token) {
    return this.call('POST', path, body, token);
  }

  async call(method, path, body, token) {
    const headers = {
      ...(body && { 'Content-Type': 'application/json' }),
      ...(token && { Authorization: `Bearer ${token}` }),
    };
    const response = await globalThis.fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}

async function addressIn(child) {
  let output = '';
  for await (const chunk of child.stdout) {
    output += chunk;
    const match = /WinDI Chat is at (\S+)/.exec(output);
    if (match) {
      child.stdout.resume();
      return match[1];
    }
  }
  throw new Error(`The server has not started:\n${output}`);
}
