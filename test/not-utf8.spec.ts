import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Device } from './support/device.js';
import { expectProblem } from './support/expect-problem.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

describe('text that is not UTF-8', () => {
  let app: TestApp;
  let ada: TestUser;
  let chatId: number;
  let device: Device;

  beforeAll(async () => {
    app = await TestApp.start();
    ada = await app.user();
    chatId = (await ada.group()).id;
    device = await ada.device();
  });
  afterEach(async () => {
    expect((await app.request('GET', '/health/ready')).status).toBe(200);
    expect(await device.command('typing', { chat_id: chatId, is_typing: false })).toMatchObject({ ok: true });
  });
  afterAll(() => app.close());

  /** Characters up to U+00FF stand for bytes. */
  const send = async (path: string, type: string, bytes: string, more: Record<string, string> = {}) => {
    const headers = { Authorization: `Bearer ${ada.token}`, 'Content-Type': type, ...more };
    const response = await fetch(app.url + path, { method: 'POST', headers, body: Buffer.from(bytes, 'latin1') });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const FORM = 'application/x-www-form-urlencoded';
  const inUtf8 = (text: string): string => Buffer.from(text).toString('latin1');

  it.each(['\xff', 'caf\xe9', '\xc0\x80', '\xed\xa0\x80', '\xf5\x80\x80\x80', '\xd0'])(
    'is refused in JSON and in a form, never repaired: %j',
    async (bytes) => {
      const text = `{"name":"${bytes}","email":"${randomUUID()}@example.com","password":"${PASSWORD}"}`;
      expectProblem(await send('/register', 'application/json', text), 400, 'validation_failed', ['body']);
      const form = `username=ada%40example.com&password=${bytes}`;
      expectProblem(await send('/login', FORM, form), 400, 'validation_failed', ['body']);
      const encoded = `username=ada%40example.com&password=${[...bytes].map((byte) => `%${byte.charCodeAt(0).toString(16)}`).join('')}`;
      expectProblem(await send('/login', FORM, encoded), 400, 'validation_failed', ['body']);
    },
  );

  it.each(['%', '%4', '%zz', '100%25%'])('is refused in a form: the percent sign of %s', async (text) => {
    const form = `username=ada%40example.com&password=${text}`;
    expectProblem(await send('/login', FORM, form), 400, 'validation_failed', ['body']);
  });

  it.each([
    ['/messages', 'application/json; charset=iso-8859-1'],
    ['/messages', 'application/json;charset="UTF-16"'],
    ['/messages', 'application/json; charset=utf-8; charset=koi8-r'],
    ['/login', `${FORM}; Charset=windows-1251`],
  ])('is refused when it says so: %s, %s', async (path, type) => {
    expectProblem(await send(path, type, '{}'), 415, 'unsupported_media_type');
  });

  it.each(['utf-8', '"UTF-8"', 'utf8'])('is not meant by the charset %s', async (charset) => {
    const form = inUtf8(`username=${ada.email}&password=${PASSWORD}`);
    expect((await send('/login', `${FORM}; charset=${charset}`, form)).status).toBe(200);
    const body = inUtf8(`{"chat_id":${chatId},"text":"Привет"}`);
    expect((await send('/messages', `application/json; charset=${charset}`, body)).body.text).toBe('Привет');
  });

  it('is refused in a header, which is read as UTF-8', async () => {
    const login = JSON.stringify({ username: ada.email, password: PASSWORD });
    const from = (userAgent: string) => send('/login', 'application/json', login, { 'User-Agent': userAgent });
    expectProblem(await from('caf\xe9'), 400, 'validation_failed', ['User-Agent']);
    const device = `Телефон ${'🧮'.repeat(300)}`;
    const { body } = await from(inUtf8(device));
    const sessions = await app.request('GET', '/auth/sessions', { token: body.access_token });
    const { user_agent } = sessions.body.find(({ current }: { current: boolean }) => current);
    expect(user_agent).toBe([...device].slice(0, 200).join(''));
  });

  it.each(['/socket.io/?EIO=4&transport=websocket', '/ws/chat?token='])(
    'ends the connection at a frame that is not UTF-8: %s',
    async (path) => {
      const url = `${app.url.replace('http', 'ws')}${path}${path.endsWith('=') ? ada.token : ''}`;
      const socket = new WebSocket(url);
      await once(socket, 'open');
      socket.send(Buffer.from('42["message:send",{"text":"\xff"}]', 'latin1'), { binary: false });
      expect((await once(socket, 'close'))[0]).toBe(1007);
    },
  );

  it('refuses a poll that is not UTF-8, and takes one whose characters come in parts', async () => {
    const path = '/socket.io/?EIO=4&transport=polling';
    const { body: opened } = await app.request<string>('GET', path);
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    const poll = (parts: Buffer[]): Promise<Response> =>
      fetch(`${app.url}${path}&sid=${sid}`, {
        method: 'POST',
        headers: { 'Content-Type': 'text/plain;charset=UTF-8' },
        body: new ReadableStream({
          start: (stream) => {
            for (const part of parts) stream.enqueue(part);
            stream.close();
          },
        }),
        duplex: 'half',
      } as RequestInit);
    const send = (text: string): string =>
      `42["message:send",{"chat_id":${chatId},"text":"${text}","client_message_id":"poll"}]`;
    expect((await poll([Buffer.from(`40{"token":"${ada.token}"}`)])).status).toBe(200);
    const bytes = Buffer.from(send('Привет'));
    const half = bytes.indexOf('в') + 1;
    expect((await poll([bytes.subarray(0, half), bytes.subarray(half)])).status).toBe(200);
    expect((await device.next('message:created', ({ client_message_id }) => client_message_id === 'poll')).text).toBe(
      'Привет',
    );

    const refused = await poll([Buffer.from(send('caf\xe9'), 'latin1')]);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ code: 'validation_failed', errors: [{ field: 'body' }] });
  });
});
