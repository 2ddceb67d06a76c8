import type { Socket } from 'socket.io-client';
import { Device } from './support/device.js';
import { PlainClient } from './support/plain-client.js';
import { RawPolling, RawSocket } from './support/raw-clients.js';
import { TestApp, type TestUser, unique } from './support/test-app.js';

const KIB = 1024;
const MAX_COMMAND = 64 * KIB;
const MAX_FRAME = 512 * KIB;

/** A text of so many bytes, of characters of one and of more bytes. */
const textOf = (bytes: number, character: string): string => {
  const size = Buffer.byteLength(character);
  return character.repeat(Math.floor(bytes / size)) + 'x'.repeat(bytes % size);
};

/** Commands in frames of more than 64 KiB: an answer up to 512 KiB, and an end of the connection beyond. */
describe('a command that is too large', () => {
  let app: TestApp;
  let ada: TestUser;
  let chat: { id: number };

  beforeAll(async () => {
    app = await TestApp.start();
    ada = await app.user();
    chat = await ada.group();
  });
  afterAll(() => app.close());

  const message = (text: string) => ({ chat_id: chat.id, text, client_message_id: `key-${unique()}` });
  /** A packet of Engine.IO, with a message, that has so many bytes. */
  const packet = (id: number, bytes: number, character = 'x'): string => {
    const of = (text: string) => `42${id}${JSON.stringify(['message:send', message(text)])}`;
    return of(textOf(bytes - of('').length, character));
  };
  const refused = (code: string) => expect.stringContaining(`[{"ok":false,"error":{"code":"${code}"`);
  const accepted = expect.stringContaining('[{"ok":true,');
  /** The bound is in bytes, whatever the characters. */
  const characters = ['x', 'я', '漢', '😀'];

  describe('over Socket.IO by WebSocket', () => {
    it.each(characters)('is refused with payload_too_large, and the next one is carried out: %s', async (character) => {
      const raw = await RawSocket.open(app.url, ada.token);
      raw.send(packet(1, MAX_COMMAND, character));
      raw.send(packet(2, MAX_COMMAND + 1, character));
      raw.send(packet(3, MAX_FRAME, character));
      raw.send(packet(4, 200));
      expect(await raw.next('431')).toEqual(refused('validation_failed'));
      expect(await raw.next('432')).toEqual(refused('payload_too_large'));
      expect(await raw.next('433')).toContain('"retryable":false');
      expect(await raw.next('434')).toContain('"ok":true');
      raw.send(packet(5, MAX_FRAME + 1, character));
      expect(await raw.closed).toBe(1009);
    });

    it('is refused without a look at its payload, and does not wait for the commands before it', async () => {
      const raw = await RawSocket.open(app.url, ada.token);
      raw.send(packet(1, 200));
      raw.send(`422["message:send",${'{'.repeat(MAX_COMMAND)}`);
      expect(await raw.next('431')).toContain('"ok":true');
      const acks = raw.received.filter((one) => one.startsWith('43')).map((one) => one.slice(0, 3));
      expect(acks).toEqual(['432', '431']);
      expect(raw.received).toContainEqual(refused('payload_too_large'));
      raw.socket.close();
    });

    it('is ignored without an ack id', async () => {
      const raw = await RawSocket.open(app.url, ada.token);
      raw.send(packet(1, MAX_COMMAND + 1).replace('421', '42'));
      raw.send(packet(2, 200));
      expect(await raw.next('432')).toContain('"ok":true');
      expect(raw.received.filter((one) => one.startsWith('43'))).toHaveLength(1);
      raw.socket.close();
    });

    it('is not_found when there is no such command', async () => {
      const device = await ada.device();
      const text = 'x'.repeat(MAX_COMMAND);
      expect(await device.raw('nothing', text)).toMatchObject({ ok: false, error: { code: 'not_found' } });
      device.close();
    });

    it('is refused when it is an attachment that is too large', async () => {
      const device = await ada.device();
      const bytes = Buffer.alloc(MAX_COMMAND + 1);
      const payload = { ...message(''), text: bytes };
      expect(await device.raw('message:send', payload)).toMatchObject({ error: { code: 'validation_failed' } });
      device.close();
    });

    it.each([
      ['an event of the library', '42["disconnect","$"]'],
      ['an ack', '431["$"]'],
      ['an event of another namespace', '42/admin,["message:send","$"]'],
      ['no event', '42"$"'],
    ])('ends the connection when it is %s', async (_, start) => {
      const raw = await RawSocket.open(app.url, ada.token);
      raw.send(start.replace('$', 'x'.repeat(MAX_COMMAND)));
      await raw.closed;
    });
  });

  describe('over Socket.IO by polling', () => {
    const join = async (): Promise<RawPolling> => {
      const polling = await RawPolling.open(app.url);
      await polling.post(`40${JSON.stringify({ token: ada.token })}`);
      expect((await polling.poll()).body).toContain('40{');
      return polling;
    };
    /** Polls until there are acks with these ids, and returns them. */
    const acks = async (polling: RawPolling, ...ids: number[]): Promise<(string | undefined)[]> => {
      const packets: string[] = [];
      const found = () => ids.map((id) => packets.find((one) => one.startsWith(`43${id}`)));
      while (found().includes(undefined)) packets.push(...(await polling.poll()).body.split('\x1e'));
      return found();
    };

    it.each(characters)('is refused with payload_too_large, and the next one is carried out: %s', async (character) => {
      const polling = await join();
      await polling.post(packet(1, MAX_COMMAND, character));
      expect(await acks(polling, 1)).toEqual([refused('validation_failed')]);
      await polling.post(packet(2, MAX_COMMAND + 1, character));
      expect(await acks(polling, 2)).toEqual([refused('payload_too_large')]);
      await polling.post(packet(3, MAX_FRAME, character));
      expect(await acks(polling, 3)).toEqual([refused('payload_too_large')]);
      await polling.post(packet(4, 200));
      expect(await acks(polling, 4)).toEqual([accepted]);
      expect((await polling.post(packet(5, MAX_FRAME + 1, character))).status).toBe(413);
    });

    it('is refused alone among others of its request', async () => {
      const polling = await join();
      await polling.post(packet(1, MAX_COMMAND + 1), packet(2, 200));
      expect(await acks(polling, 1, 2)).toEqual([refused('payload_too_large'), accepted]);
    });

    it('is a matter of each packet, not of the request', async () => {
      const polling = await join();
      const texts = Array.from({ length: 20 }, (_, i) => packet(100 + i, 4 * KIB));
      await polling.post(...texts);
      expect(await acks(polling, 119)).toEqual([accepted]);
    });
  });

  it.each(['websocket', 'polling'])('is no obstacle for the client library, by %s', async (transport) => {
    const device = await Device.connect(app.url, ada.token, [transport]);
    const lost = jest.fn();
    device.socket.on('disconnect', lost);
    const [large, next] = [message('я'.repeat(70_000)), message('and on')];
    const acks = await Promise.all([device.command('message:send', large), device.command('message:send', next)]);
    expect(acks).toMatchObject([
      {
        ok: false,
        error: { code: 'payload_too_large', message: 'A command may have up to 64 KiB.', retryable: false },
      },
      { ok: true, data: { text: 'and on' } },
    ]);
    (device.socket as Socket).emit('message:send', large);
    expect(await device.command('message:send', next)).toMatchObject({ ok: true, replayed: true });
    expect(lost).not.toHaveBeenCalled();
    device.close();
  });

  describe('over plain WebSocket', () => {
    const open = (target: number | string = 'chat'): Promise<PlainClient> =>
      PlainClient.open(app.url, `/ws/${target}?token=${ada.token}`);
    const frame = (bytes: number, character = 'x'): [key: string, frame: string] => {
      const { client_message_id, chat_id } = message('');
      const of = (text: string) => JSON.stringify({ chat_id, text, client_message_id });
      return [client_message_id, of(textOf(bytes - of('').length, character))];
    };
    const errorOf = (client: PlainClient, key?: string) =>
      client.next(({ type, client_message_id }) => type === 'error' && client_message_id === key);

    it.each(characters)('is refused with payload_too_large, and the next one is carried out: %s', async (character) => {
      const client = await open();
      for (const [bytes, code] of [
        [MAX_COMMAND, 'validation_failed'],
        [MAX_COMMAND + 1, 'payload_too_large'],
        [MAX_FRAME, 'payload_too_large'],
      ] as const) {
        const [key, text] = frame(bytes, character);
        client.send(text);
        expect(await errorOf(client, key)).toMatchObject({ code, retryable: false });
      }
      const [key, text] = frame(200);
      client.send(text);
      expect(await client.next(({ client_message_id }) => client_message_id === key)).toMatchObject({
        seq: expect.any(Number),
      });
      client.send(frame(MAX_FRAME + 1, character)[1]);
      expect((await client.closed)[0]).toBe(1009);
    });

    it.each<[string, string | undefined, object | string]>([
      ['at the beginning', 'k', { client_message_id: 'k', text: textOf(MAX_COMMAND, 'я') }],
      ['at the end', '"\\k/~', { text: textOf(MAX_COMMAND, '😀'), client_message_id: '"\\k/~' }],
      [
        'after another one in the text',
        'k',
        { text: `"client_message_id":"other"${textOf(MAX_COMMAND, 'x')}`, client_message_id: 'k' },
      ],
      ['with white space', 'k', `{ "client_message_id" :\n"k"${' '.repeat(MAX_COMMAND)}}`],
      [
        'of 64 escaped characters',
        'k'.repeat(64),
        `{"client_message_id":"${'\\u006b'.repeat(64)}"${' '.repeat(MAX_COMMAND)}}`,
      ],
      ['that is no text', undefined, { client_message_id: 1, text: textOf(MAX_COMMAND, 'x') }],
      ['that is too long', undefined, { client_message_id: textOf(MAX_COMMAND, 'x') }],
      ['that is not escaped well', undefined, `{"client_message_id":"\\x"${' '.repeat(MAX_COMMAND)}}`],
      ['that is missing', undefined, '['.repeat(MAX_COMMAND + 1)],
    ])('is refused with its key, %s', async (_, client_message_id, sent) => {
      const client = await open(chat.id);
      client.send(sent);
      expect(await client.nextOf('error')).toEqual({
        type: 'error',
        code: 'payload_too_large',
        message: expect.any(String),
        retryable: false,
        ...(client_message_id === undefined ? {} : { client_message_id }),
      });
      client.socket.close();
    });
  });
});
