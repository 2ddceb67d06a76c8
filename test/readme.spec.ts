import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { PASSWORD, TestApp } from './support/test-app.js';

const run = promisify(execFile);
const README = readFileSync('README.md', 'utf8');

/** The code block after a comment of the README. */
function block(name: string): string {
  const match = new RegExp(`<!-- ${name} -->\\s*\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(README);
  if (!match) throw new Error(`no block ${name}`);
  return match[1]!;
}

describe('the README', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  const here = (code: string): string => code.replaceAll('http://localhost:8000', app.url);

  it('has a tour that works as written, in the shell and on the socket', async () => {
    const script = `set -eu\n${here(block('tour'))}\necho; echo "$GRACE $CHAT"`;
    const { stdout } = await run('bash', ['-c', script]);
    expect(stdout).toContain('"name":"Ada Lovelace"');
    expect(stdout).toMatch(/^1$/m);
    expect(stdout).toContain('"text":"Привет!"');
    expect(stdout).toContain('"type":"read_receipt"');
    expect(stdout).toContain('"role":"member"');
    expect(stdout).toContain('"current":true');
    expect(stdout).not.toContain('"status":');

    const [token, chat] = stdout.trim().split('\n').at(-1)!.split(' ') as [string, string];
    // The script runs in the checkout, where readers save it: Node finds socket.io-client there.
    const file = resolve('tour-of-the-readme-spec.mjs');
    await writeFile(file, here(block('tour.mjs')));
    try {
      const live = await run(process.execPath, [file, token, chat]);
      expect(live.stdout.trim().split('\n').sort()).toEqual(['heard: 2 Hello from a socket', 'stored as number 2']);
    } finally {
      await rm(file);
    }
  });

  it('keeps the socket script to 15 lines', () => {
    expect(block('tour.mjs').trim().split('\n').filter(Boolean).length).toBeLessThanOrEqual(15);
  });

  it('has demo data that can be inserted twice', async () => {
    const seed = () => run(process.execPath, ['dist/src/commands/seed.js', '--url', app.url]);
    const count = async () =>
      (await app.sql('SELECT (SELECT count(*) FROM messages) AS messages, (SELECT count(*) FROM chats) AS chats'))[0];
    const first = await seed();
    expect(first.stdout).toMatch(/ada@example\.com +correct horse/);
    const after = await count();
    expect(after.messages).toBeGreaterThan(2_000);
    expect((await seed()).stdout).toBe(first.stdout);
    expect(await count()).toEqual(after);
  }, 120_000);

  it('supports the journeys of both write-ups, except for their passwords', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const register = (path: string, body: object) => app.request('POST', path, { body });
    const refusal = async (password: string) => {
      const { status, body } = await register('/register', { name: 'test', email: 'm@example.com', password });
      return [status, body.errors];
    };
    expect(await refusal('123')).toEqual([
      400,
      [{ field: 'password', message: 'must be text of 8 to 128 characters' }],
    ]);
    expect(await refusal('pass1234')).toEqual([
      400,
      [{ field: 'password', message: 'must not be one of the commonest passwords' }],
    ]);
    const accounts = [
      await register('/auth/register', { name: 'test', email: 'm@example.com', password: PASSWORD }),
      await register('/register', { name: 'User', email: 'user@example.com', password: PASSWORD }),
    ];
    expect(accounts.map(({ status }) => status)).toEqual([201, 201]);
    const first = await app.request('POST', '/auth/login', {
      body: 'username=m@example.com&password=correct+horse',
      headers: form,
    });
    const second = await app.request('POST', '/login', {
      body: 'username=user@example.com&password=correct+horse',
      headers: form,
    });
    expect([first.status, second.status, first.body.token_type]).toEqual([200, 200, 'bearer']);
    const me = await app.request('GET', '/auth/me', { token: first.body.access_token });
    const other = await app.request('GET', '/auth/me', { token: second.body.access_token });
    const token = first.body.access_token as string;
    const group = await app.request('POST', '/groups', { token, body: { name: 'WinDI' } });
    expect((await app.request('POST', `/groups/${group.body.id}/add_user/${other.body.id}`, { token })).status).toBe(
      200,
    );
    const sent = await app.request('POST', '/messages', {
      token,
      body: { chat_id: group.body.id, text: 'Привет!', client_message_id: 'unique-1744111111111' },
    });
    expect(sent.body).toMatchObject({
      sender_id: me.body.id,
      text: 'Привет!',
      is_read: false,
      client_message_id: 'unique-1744111111111',
    });
    const read = await app.request('POST', `/messages/${sent.body.id}/read`, { token: second.body.access_token });
    expect(read.body).toMatchObject({ type: 'read_receipt', reader_id: other.body.id, is_read: true });
    for (const path of ['/messages/history/', '/history/']) {
      const history = await app.request('GET', `${path}${group.body.id}?limit=10&offset=0`, { token });
      expect(history.body).toEqual([{ ...sent.body, is_read: true }]);
    }
    expect((await app.request('POST', `/groups/${group.body.id}/remove_user/${other.body.id}`, { token })).status).toBe(
      204,
    );
  });
});
