import { type ChildProcessWithoutNullStreams, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describeWith } from './support/describe-with.js';
import { TestApp, type TestUser } from './support/test-app.js';

/** The Python that has the package websockets: the first on the PATH, or Debian's. */
const PYTHON = ['python3', '/usr/bin/python3'].find((python) => !spawnSync(python, ['-c', 'import websockets']).status);
const CLIENT = 'test/support/plain_client.py';

const describeWithPython = describeWith(PYTHON !== undefined, 'python3 with websockets (Debian: python3-websockets)');

describeWithPython('plain WebSocket client in Python', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  const children: ChildProcessWithoutNullStreams[] = [];

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
  });
  afterAll(async () => {
    for (const child of children) child.kill();
    await app.close();
  });

  /** Connects the Python client, and reads its output line by line. */
  const python = (path: string) => {
    const child = spawn(PYTHON!, [CLIENT, app.url.replace(/^http/, 'ws') + path]);
    children.push(child);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return {
      send: (frame: object) => child.stdin.write(`${JSON.stringify(frame)}\n`),
      line: async () => (await lines.next()).value as string,
      frame: async () => JSON.parse((await lines.next()).value as string),
      hangUp: async () => {
        child.stdin.end();
        return (await once(child, 'close'))[0] as number;
      },
    };
  };

  it('sends, receives, reads and gets errors', async () => {
    const [chat, device] = [await ada.group(bob), await bob.device()];
    const client = python(`/ws/chat?token=${ada.token}`);
    const frame = { chat_id: chat.id, text: 'Привет из Python \u{1F40D}', client_message_id: 'python-1' };
    client.send(frame);
    const message = await client.frame();
    expect(message).toMatchObject({ ...frame, sender_id: ada.id, seq: 1 });
    expect(await device.next('message:created')).toEqual(message);

    await device.command('message:send', { chat_id: chat.id, text: 'Hello', client_message_id: 'js-1' });
    const answer = await client.frame();
    expect(answer).toMatchObject({ text: 'Hello', client_message_id: 'js-1', seq: 2 });
    expect(await client.frame()).toMatchObject({ type: 'read_receipt', message_id: message.id, reader_id: bob.id });
    client.send({ type: 'read', message_id: answer.id });
    expect(await client.frame()).toEqual(await device.next('read_receipt', ({ seq }) => seq === 2));

    client.send({ ...frame, text: 'another' });
    expect(await client.frame()).toMatchObject({ type: 'error', code: 'client_message_id_conflict' });
    expect(await client.hangUp()).toBe(0);
  });

  it.each([
    ['a bad token', () => '/ws/chat?token=bad', 4401],
    ['a chat of nobody', () => `/ws/999999999?token=${ada.token}`, 4404],
  ])('gets the close code of %s', async (_, path, code) => {
    const client = python(path());
    expect(await client.line()).toBe(`closed ${code}`);
    expect(await client.hangUp()).toBe(0);
  });

  it('runs the example of docs/realtime.md', async () => {
    const [, example] = /```python\n([\s\S]*?)```/.exec(readFileSync('docs/realtime.md', 'utf8'))!;
    const chat = await ada.group(bob);
    const code = example!.replace('ws://localhost:8000', app.url.replace(/^http/, 'ws'));
    const running = promisify(execFile)(PYTHON!, ['-c', code, bob.token, String(chat.id)]);
    const device = await ada.device();
    const message = await device.next('message:created');
    expect(message).toMatchObject({ chat_id: chat.id, sender_id: bob.id });
    await ada.delete(`/groups/${chat.id}`);
    const { stdout } = await running;
    expect(stdout).toContain(message.text);
  });
});
