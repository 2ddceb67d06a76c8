import { JwtService } from '@nestjs/jwt';
import { io, type Socket } from 'socket.io-client';
import { DatabaseClock } from '../src/database/database.clock.js';
import { DatabaseMonitor } from '../src/database/database.monitor.js';
import { DEFAULT_REALTIME_OPTIONS } from '../src/realtime/realtime.options.js';
import { Device } from './support/device.js';
import { TestApp, type TestUser, unique } from './support/test-app.js';

describe('Socket.IO gateway', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let eve: TestUser;

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, bob, eve] = (await app.users(3)) as [TestUser, TestUser, TestUser];
  });
  afterAll(() => app.close());

  const key = (): string => `key-${unique()}`;
  const tokenOf = ({ id }: TestUser, expiresIn: number): string =>
    app.nest.get(JwtService).sign({ sid: 'a session' }, { subject: String(id), expiresIn });

  it('answers a fault of its own with internal_error, and serves the next command', async () => {
    const node = await TestApp.start();
    const user = await node.user();
    const [device, chat] = [await user.device(), await user.group()];
    const { id } = await user.say(chat);
    await node.sql('ALTER TABLE messages RENAME TO lost');
    const answer = await device.command('message:edit', { message_id: id, text: 'better' });
    expect(answer).toMatchObject({ ok: false, error: { code: 'internal_error', retryable: false } });
    await node.sql('ALTER TABLE lost RENAME TO messages');
    expect(await device.command('message:edit', { message_id: id, text: 'better' })).toMatchObject({ ok: true });
    await node.close();
  });

  describe('handshake', () => {
    it.each([
      ['no token', () => undefined, 'unauthorized'],
      ['garbage', () => 'garbage', 'unauthorized'],
      ['a token that has run out', () => tokenOf(ada, -1), 'token_expired'],
    ])('refuses %s', async (_, token, code) => {
      await expect(Device.connect(app.url, token())).rejects.toMatchObject({
        data: { code, message: expect.any(String) },
      });
    });

    it('refuses a token that is not a string', async () => {
      await expect(Device.connect(app.url, { token: 1 } as never)).rejects.toMatchObject({
        data: { code: 'unauthorized' },
      });
    });

    it('accepts the token in the Authorization header', async () => {
      const socket = io(app.url, { extraHeaders: { Authorization: `Bearer ${ada.token}` }, forceNew: true });
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('connect_error', reject);
      });
      socket.close();
    });

    it('works over polling', async () => {
      const [device, chat] = [await ada.device(['polling']), await ada.privateChat(bob)];
      const message = await bob.say(chat);
      expect(await device.next('message:created', ({ id }) => id === message.id)).toEqual(message);
    });
  });

  describe('message:send', () => {
    it('is acked with the message, and reaches every device of every member, including the sender', async () => {
      const chat = await ada.privateChat(bob);
      const devices = await Promise.all([ada, ada, bob, bob].map((user) => user.device()));
      const command = { chat_id: chat.id, text: 'Привет!', client_message_id: key() };
      const ack = await devices[0]!.command('message:send', command);
      expect(ack).toMatchObject({ ok: true, replayed: false, data: { ...command, sender_id: ada.id } });
      const message = (ack as { data: { id: number } }).data;
      for (const device of devices) {
        expect(await device.next('message:created', ({ id }) => id === message.id)).toEqual(message);
      }
      expect((await bob.get(`/messages/${message.id}`)).body).toEqual(message);
    });

    it('returns the original on a replay over either transport, and publishes nothing again', async () => {
      const chat = await ada.group(bob);
      const [phone, listener] = await Promise.all([ada.device(), bob.device()]);
      const command = { chat_id: chat.id, text: 'once', client_message_id: key() };
      const first = await phone.command('message:send', command);
      const second = await phone.command('message:send', command);
      const third = await ada.post('/messages', command);
      expect(second).toEqual({ ...first, replayed: true });
      expect([third.status, third.body]).toEqual([200, (first as { data: object }).data]);
      await ada.say(chat, 'the end');
      await listener.next('message:created', ({ text }) => text === 'the end');
      expect(listener.all('message:created')).toHaveLength(2);
    });

    it('requires client_message_id', async () => {
      const [chat, device] = [await ada.group(bob), await ada.device()];
      const ack = await device.raw('message:send', { chat_id: chat.id, text: 'x' });
      expect(ack).toMatchObject({ ok: false, error: { code: 'validation_failed', retryable: false } });
      expect((ack as any).error.errors.map(({ field }: any) => field)).toEqual(['client_message_id']);
    });

    it('answers with the error codes of REST', async () => {
      const [chat, device, intruder] = [await ada.group(bob), await ada.device(), await eve.device()];
      const command = { chat_id: chat.id, text: 'x', client_message_id: key() };
      await device.command('message:send', command);
      expect(await device.command('message:send', { ...command, text: 'y' })).toMatchObject({
        ok: false,
        error: { code: 'client_message_id_conflict', retryable: false },
      });
      expect(await intruder.command('message:send', command)).toMatchObject({
        ok: false,
        error: { code: 'chat_not_found' },
      });
      const astray = await device.command('message:send', {
        ...command,
        client_message_id: key(),
        reply_to_id: 999_999_999,
      });
      expect(astray).toMatchObject({ ok: false, error: { errors: [{ field: 'reply_to_id' }] } });
    });

    it('stores the messages of one device in the order they were sent', async () => {
      const [chat, device] = [await ada.group(bob), await ada.device()];
      const send = (text: string) =>
        device.command('message:send', { chat_id: chat.id, text, client_message_id: key() });
      const texts = Array.from({ length: 50 }, (_, i) => String(i));
      await Promise.all(texts.map(send));
      const { body } = await ada.get<{ text: string }[]>(`/history/${chat.id}`);
      expect(body.map(({ text }) => text)).toEqual(texts);
    });

    it('commits messages that one device sends at once together, before its later commands start', async () => {
      const chat = await ada.group(bob);
      const device = await ada.device();
      const sends = Array.from({ length: 200 }, () =>
        device.command('message:send', { chat_id: chat.id, text: 'at once', client_message_id: key() }),
      );
      const sync = await device.command('sync', { cursors: { [chat.id]: { seq: 0, change_seq: 0 } }, limit: 500 });
      expect(sync.ok && sync.data.chats.find(({ id }) => id === chat.id)?.messages).toHaveLength(200);
      const acks = await Promise.all(sends);
      expect(acks.map((ack) => ack.ok && ack.data.seq)).toEqual(acks.map((_, index) => index + 1));
      // Messages of one commit have one time.
      const rows = await app.sql('SELECT DISTINCT timestamp FROM messages WHERE chat_id = $1', [chat.id]);
      expect(rows.length).toBeLessThan(20);
    });

    it('works for a client that asks for no ack', async () => {
      const [chat, device] = [await ada.group(bob), await ada.device()];
      (device.socket as Socket).emit('message:send', { chat_id: chat.id, text: 'silent', client_message_id: key() });
      expect((await device.next('message:created', ({ text }) => text === 'silent')).chat_id).toBe(chat.id);
    });
  });

  it('moves the cursor on message:read, acks with the receipt and notifies the sender', async () => {
    const chat = await ada.privateChat(bob);
    const [sender, reader] = await Promise.all([ada.device(), bob.device()]);
    const message = await ada.say(chat);
    const ack = await reader.command('message:read', { message_id: message.id });
    const receipt = {
      type: 'read_receipt',
      message_id: message.id,
      chat_id: chat.id,
      reader_id: bob.id,
      is_read: true,
      seq: message.seq,
    };
    expect(ack).toEqual({ ok: true, data: receipt });
    expect(await sender.next('read_receipt', ({ message_id }) => message_id === message.id)).toEqual(receipt);
    expect((await bob.get(`/chats/${chat.id}`)).body.unread_count).toBe(0);
    expect(await reader.raw('message:read', { message_id: 999_999_999 })).toMatchObject({
      error: { code: 'message_not_found' },
    });
  });

  it('publishes typing to the other members only', async () => {
    const chat = await ada.group(bob);
    const devices = await Promise.all([ada, ada, bob, bob, eve].map((user) => user.device()));
    const ack = await devices[0]!.command('typing', { chat_id: chat.id, is_typing: true });
    expect(ack).toEqual({ ok: true, data: {} });
    const typing = { chat_id: chat.id, user_id: ada.id, is_typing: true };
    for (const device of devices.slice(2, 4)) expect(await device.next('typing')).toEqual(typing);
    const all = await ada.group(bob, eve);
    await ada.say(all, 'the end');
    for (const device of devices) await device.next('message:created', ({ text }) => text === 'the end');
    for (const index of [0, 1, 4]) expect(devices[index]!.all('typing')).toEqual([]);
    expect(await devices[4]!.command('typing', { chat_id: chat.id, is_typing: true })).toMatchObject({
      error: { code: 'chat_not_found' },
    });
  });

  it('publishes typing to nobody in a group of one', async () => {
    const [chat, typist, other] = [await ada.group(), await ada.device(), await eve.device()];
    expect(await typist.command('typing', { chat_id: chat.id, is_typing: true })).toEqual({ ok: true, data: {} });
    await ada.say(await ada.group(eve), 'the end');
    await other.next('message:created', ({ text }) => text === 'the end');
    expect(other.all('typing')).toEqual([]);
  });

  describe('token expiry', () => {
    const expired = async (): Promise<Device> => {
      const device = await app.connect(tokenOf(ada, 1));
      await device.next('auth:expired');
      return device;
    };

    it('is announced, and commands are refused until a new token of the same user arrives', async () => {
      const device = await expired();
      expect(await device.command('typing', { chat_id: 1, is_typing: true })).toMatchObject({
        error: { code: 'token_expired', retryable: false },
      });
      expect(await device.command('auth:refresh', { token: bob.token })).toMatchObject({
        error: { code: 'unauthorized' },
      });
      const refreshed = await device.command('auth:refresh', { token: ada.token });
      expect(refreshed).toEqual({ ok: true, data: { expires_in: expect.any(Number) } });
      const chat = await ada.group(bob);
      expect(await device.command('typing', { chat_id: chat.id, is_typing: true })).toMatchObject({ ok: true });
    });

    it.each([
      ['is noticed when the clock of the database steps, before the timer', 1, 3_600],
      ['lasts when the clock of the database steps back', -1, 3],
    ])('%s', async (_, hours, lifetime) => {
      const node = await TestApp.start({ databaseUrl: app.databaseUrl });
      const device = await node.connect(tokenOf(ada, lifetime));
      if (hours < 0) await device.next('auth:expired');
      await node.nest.get(DatabaseMonitor).beforeApplicationShutdown(); // It would measure the clock again.
      const now = performance.now();
      node.nest.get(DatabaseClock).measured(Date.now() + hours * 3_600_000, now, now);
      const answer = await device.command('typing', { chat_id: 1, is_typing: true });
      await node.close();
      expect(answer).toMatchObject({ error: { code: 'token_expired' } });
    });

    it('disconnects the socket when no new token arrives in time', async () => {
      expect(DEFAULT_REALTIME_OPTIONS.expiryGraceMs).toBe(30_000);
      const node = await TestApp.start({ databaseUrl: app.databaseUrl }, { expiryGraceMs: 1 });
      const device = await node.connect(tokenOf(ada, 1));
      await device.next('auth:expired');
      if (device.socket.connected) expect(await device.disconnected()).toBe('io server disconnect');
      await node.close();
    });
  });
});
