import { closeReasonOf, GOING_AWAY } from './plain-frames.js';
import { PlainTranslator } from './plain-translator.js';

describe('PlainTranslator', () => {
  const event = (name: string, payload: object): string => `2${JSON.stringify([name, payload])}`;
  const translate = (packet: string, chatId?: number) => {
    const translator = new PlainTranslator(chatId);
    const frame = translator.toClient(packet);
    const { ended, closeReason } = translator;
    return { frame: frame === undefined ? undefined : JSON.parse(frame), ended, closeReason };
  };

  it('copies the JSON of a message, whatever its text contains', () => {
    const message = { id: 1, chat_id: 2, text: '"}],{"type":"x\u2028\\\ud83d\ude00' };
    const translator = new PlainTranslator(undefined);
    expect(translator.toClient(event('message:created', message))).toBe(JSON.stringify(message));
  });

  it('keeps the type of a chat, and the name of its event', () => {
    const chat = { id: 2, type: 'group' };
    expect(translate(event('chat:created', chat)).frame).toEqual({ type: 'chat:created', chat });
  });

  it.each([
    ['message:updated', { chat_id: 2 }],
    ['chat:updated', { id: 2 }],
    ['member:added', { chat_id: 2, member: { user_id: 3 } }],
  ])('translates %s only for a connection to the same chat', (name, payload) => {
    const frame = { type: name, ...payload };
    expect(translate(event(name, payload)).frame).toEqual(frame);
    expect(translate(event(name, payload), 2)).toEqual({ frame, ended: false, closeReason: GOING_AWAY });
    expect(translate(event(name, payload), 3).frame).toBeUndefined();
  });

  it('translates an event about the connection for every connection', () => {
    const draining = { reconnect_in_ms: 100 };
    expect(translate(event('server:draining', draining), 3).frame).toEqual({ type: 'server:draining', ...draining });
  });

  it.each([
    ['auth:expired', 'token_expired'],
    ['session:revoked', 'unauthorized'],
  ] as const)('closes with 4401 after %s', (name, reason) => {
    const { frame, ended, closeReason } = translate(event(name, {}), 2);
    expect({ frame, ended, closeReason }).toEqual({
      frame: { type: name },
      ended: false,
      closeReason: closeReasonOf(reason),
    });
    expect(closeReason).toEqual({ code: 4401, reason });
  });

  it('closes with 1001 again after a new token is accepted', () => {
    const translator = new PlainTranslator(undefined);
    translator.toClient(event('auth:expired', {}));
    translator.fromClient('{"type":"auth:refresh","token":"new"}');
    expect(translator.toClient('31[{"ok":true,"data":{"expires_in":900}}]')).toBe(
      '{"type":"auth:refresh","expires_in":900}',
    );
    expect(translator.closeReason).toEqual(GOING_AWAY);
  });

  it.each([
    ['unauthorized', 4401],
    ['chat_not_found', 4404],
    ['rate_limited', 1013],
    ['unavailable', 1013],
    [undefined, 1011],
  ])('ends the connection when the handshake is refused with %s: %i', (code, closeCode) => {
    const { ended, closeReason } = translate(`4${JSON.stringify({ message: 'x', data: code && { code } })}`);
    expect({ ended, code: closeReason.code }).toEqual({ ended: true, code: closeCode });
  });

  it('ends the connection when Socket.IO disconnects the socket', () => {
    expect(translate('1')).toEqual({ frame: undefined, ended: true, closeReason: GOING_AWAY });
  });

  it('turns frames into commands, and each ack into the answer to its own command', () => {
    const translator = new PlainTranslator(7);
    const frame = { text: 'x', client_message_id: 'a' };
    expect(translator.fromClient(JSON.stringify(frame))).toEqual({
      packet: { type: 2, nsp: '/', id: 1, data: ['message:send', { ...frame, chat_id: 7 }] },
    });
    expect(translator.fromClient('{"type":"read","message_id":5}')).toEqual({
      packet: { type: 2, nsp: '/', id: 2, data: ['message:read', { message_id: 5 }] },
    });
    const error = { code: 'message_not_found', message: 'no', retryable: false };
    expect(translator.toClient(`32[${JSON.stringify({ ok: false, error })}]`)).toBe(
      JSON.stringify({ type: 'error', ...error }),
    );
    expect(translator.toClient(`31[${JSON.stringify({ ok: false, error })}]`)).toBe(
      JSON.stringify({ type: 'error', ...error, client_message_id: 'a' }),
    );
  });

  describe('answers each edit and deletion with one frame', () => {
    const version = (change_seq: number | null, id = 5) => ({
      id,
      chat_id: 2,
      text: `"change_seq":${change_seq}`,
      change_seq,
    });
    const updated = (change_seq: number | null, id?: number) => event('message:updated', version(change_seq, id));
    const ack = (id: number, change_seq: number | null) =>
      `3${id}${JSON.stringify([{ ok: true, data: version(change_seq) }])}`;
    const failed = (id: number) =>
      `3${id}${JSON.stringify([{ ok: false, error: { code: 'forbidden', message: 'no' } }])}`;
    /** Sends so many edits, and translates the packets. Returns the `change_seq` of each frame, or its code. */
    const frames = (edits: number, ...packets: string[]): unknown[] => {
      const translator = new PlainTranslator(undefined);
      for (let i = 0; i < edits; i += 1) translator.fromClient('{"type":"edit","message_id":5,"text":"x"}');
      const all = packets.map((packet) => JSON.parse(translator.toClient(packet) ?? '{}'));
      return all.map(({ change_seq, code }) => change_seq ?? code);
    };

    it.each<[string, unknown[], unknown[]]>([
      ['the event before the ack', frames(1, updated(7), ack(1, 7)), [7, undefined]],
      ['the event after the ack', frames(1, ack(1, 7), updated(7)), [7, undefined]],
      ['no event, as nothing has changed', frames(1, ack(1, 7)), [7]],
      ['the same edit twice', frames(2, updated(7), ack(1, 7), ack(2, 7)), [7, undefined, 7]],
      ['the same edit twice, whose event is late', frames(2, ack(1, 7), ack(2, 7), updated(7)), [7, 7, undefined]],
      [
        'edits one after the other',
        frames(2, updated(7), ack(1, 7), updated(8), ack(2, 8)),
        [7, undefined, 8, undefined],
      ],
      ['an edit of another device before it', frames(1, updated(6), updated(7), ack(1, 7)), [6, 7, undefined]],
      ['an event that stands for a later edit, too', frames(1, updated(8), ack(1, 7)), [8, 7]],
      ['the same number in another chat', frames(1, updated(7, 6), ack(1, 7)), [7, 7]],
      ['a refused edit', frames(1, failed(1), updated(7), updated(8)), ['forbidden', 7, 8]],
      ['events without an edit', frames(0, updated(7), updated(8)), [7, 8]],
    ])('%s', (_, answers, expected) => expect(answers).toEqual(expected));

    it('in the form of the event', () => {
      const translator = new PlainTranslator(2);
      translator.fromClient('{"type":"edit","message_id":5,"text":"x"}');
      translator.fromClient('{"type":"delete","message_id":5}');
      expect(JSON.parse(translator.toClient(ack(1, null))!)).toEqual({ type: 'message:updated', ...version(null) });
      expect(JSON.parse(translator.toClient(event('message:deleted', version(9)))!)).toMatchObject({ change_seq: 9 });
      expect(translator.toClient(ack(2, 9))).toBeUndefined();
    });

    it('also for a message of another chat than that of the connection', () => {
      const translator = new PlainTranslator(3);
      translator.fromClient('{"type":"edit","message_id":5,"text":"x"}');
      expect(translator.toClient(updated(7))).toBeUndefined();
      expect(JSON.parse(translator.toClient(ack(1, 7))!)).toEqual({ type: 'message:updated', ...version(7) });
    });
  });

  it('copies the answer to a sync, and translates its refusal', () => {
    const translator = new PlainTranslator(2);
    const cursors = { 1: { seq: 1, change_seq: 0 } };
    expect(translator.fromClient(JSON.stringify({ type: 'sync', cursors, limit: 5 }))).toMatchObject({
      packet: { id: 1, data: ['sync', { cursors, limit: 5 }] },
    });
    translator.fromClient('{"type":"sync"}');
    const news = { chats: [{ id: 1, messages: [{ text: '}]' }] }], removed_chat_ids: [3], next_chat_id: null };
    expect(translator.toClient(`31${JSON.stringify([{ ok: true, data: news }])}`)).toBe(
      JSON.stringify({ type: 'sync', ...news }),
    );
    const error = { code: 'validation_failed', message: 'no', retryable: false };
    expect(translator.toClient(`32${JSON.stringify([{ ok: false, error }])}`)).toBe(
      JSON.stringify({ type: 'error', ...error }),
    );
  });

  it('counts a receipt as the answer to one read only', () => {
    const translator = new PlainTranslator(undefined);
    const receipt = { type: 'read_receipt', message_id: 5, reader_id: 1 };
    const ack = (id: number) => `3${id}[${JSON.stringify({ ok: true, data: receipt })}]`;
    const frames: unknown[] = [translator.toClient(event('read_receipt', receipt))]; // Another device has read before.
    translator.fromClient('{"type":"read","message_id":5}');
    translator.fromClient('{"type":"read","message_id":5}');
    frames.push(translator.toClient(event('read_receipt', { ...receipt, reader_id: 2 })));
    frames.push(translator.toClient(event('read_receipt', receipt)));
    frames.push(translator.toClient(ack(1)), translator.toClient(ack(2)));
    translator.fromClient('{"type":"read","message_id":5}');
    frames.push(translator.toClient(ack(3)));
    const text = JSON.stringify(receipt);
    const other = JSON.stringify({ ...receipt, reader_id: 2 });
    expect(frames).toEqual([text, other, text, undefined, text, text]);
  });
});
