import fc from 'fast-check';
import type { ClientToServerEvents } from '../../src/contract/events.js';
import { corrupted, hostileJson, type Members, mostly, mutated, strangeText, utf8, VALID } from './hostile-values.js';
import type { Input } from './inputs.js';

// Random packets of Socket.IO and frames of the plain WebSocket for the fuzzer, derived from the socket contract.

const EVENTS: {
  readonly [E in keyof ClientToServerEvents]: readonly (keyof Parameters<ClientToServerEvents[E]>[0])[];
} = {
  'message:send': ['chat_id', 'text', 'client_message_id', 'reply_to_id'],
  'message:edit': ['message_id', 'text'],
  'message:delete': ['message_id'],
  'message:read': ['message_id'],
  typing: ['chat_id', 'is_typing'],
  sync: ['cursors', 'after_chat_id', 'limit'],
  'auth:refresh': ['token'],
};
const OTHERS: Readonly<Record<string, string>> = { text: '"Hello"', after_chat_id: '0', limit: '20' };

const eventName = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...Object.keys(EVENTS)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'constructor',
      '__proto__',
      'toString',
      'connect',
      'connection',
      'disconnect',
      'disconnecting',
      'newListener',
      'error',
      'message',
      '',
    ),
  },
);
const payloadOf = (event: string): fc.Arbitrary<string> => {
  const fields = Object.hasOwn(EVENTS, event) ? (EVENTS[event as keyof typeof EVENTS] as readonly string[]) : [];
  const members = fields.map((field) => [field, VALID[field] ?? OTHERS[field]!] as const);
  return fc.oneof({ weight: 8, arbitrary: mutated(members) }, { weight: 1, arbitrary: hostileJson });
};
const argumentsOf = (event: string): fc.Arbitrary<string[]> =>
  fc.oneof(
    { weight: 10, arbitrary: payloadOf(event).map((payload) => [payload]) },
    { weight: 1, arbitrary: fc.array(hostileJson, { maxLength: 3 }) },
  );

/** An event packet with an ack, with any name and arguments. */
const command = eventName.chain((event) =>
  fc
    .tuple(
      argumentsOf(event),
      mostly('2', fc.constantFrom('3', '4', '6', '0', '9')),
      fc.constantFrom('', '0', '1', '7', '999999999999999999999', '1.5'),
    )
    .map(
      ([args, type, id]) =>
        `4${type}${id}${utf8(JSON.stringify([event])).slice(0, -1)}${args.map((arg) => `,${arg}`).join('')}]`,
    ),
);
const attachments = fc.constantFrom(
  ['451-1["message:send",{"_placeholder":true,"num":0}]', '*\xff\0'],
  ['451-1["message:send",{"chat_id":$chat,"text":{"_placeholder":true,"num":0},"client_message_id":"$key"}]', '*text'],
  ['451-1["message:send",{"_placeholder":true,"num":1}]', '*x'],
  ['451-1["message:send",{"_placeholder":true,"num":-1}]', '*x'],
  ['451-1["message:send",{"_placeholder":true,"num":"__proto__"}]', '*x'],
  ['452-["typing"]', '*x', '42["typing"]'],
  ['4510-["a"]', ...Array.from({ length: 10 }, () => '*x')],
  ['4511-["a"]', ...Array.from({ length: 11 }, () => '*x')],
  ['45999999999-["a"]'],
  ['*x', '*'],
);
const oddPacket = fc.constantFrom(
  '',
  '2',
  '3',
  '2probe',
  '3probe',
  '5',
  '6',
  '1',
  '0{}',
  '9',
  'b',
  'bAAAA',
  '4',
  '40',
  '41',
  '43',
  '44',
  '40{}',
  '40/admin,',
  '40/x?y=1,{}',
  '42/admin,["a"]',
  '42{}',
  '42[]',
  '42[null]',
  '42[1]',
  '43["x"]',
  '431["x"]',
  '44"x"',
  '42["typing"',
  '4'.repeat(1_000),
  '42[' + '['.repeat(5_000),
);
const packets = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: corrupted(command).map((one) => [one]) },
      { weight: 1, arbitrary: attachments },
      { weight: 1, arbitrary: oddPacket.map((one) => [one]) },
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((groups) => groups.flat());
/** Socket.IO packets that follow the contract, with and without errors. */
export const socket: fc.Arbitrary<Input> = fc
  .record({
    connect: mostly(
      '40{"token":"$token"}',
      fc.constantFrom(
        '',
        '40',
        '40{"token":1}',
        '40{"token":{"toString":1}}',
        '40null',
        '40[]',
        '40"$token"',
        '40{"__proto__":{"token":"$token"}}',
        '40/admin,{"token":"$token"}',
      ),
    ),
    packets,
  })
  .map((one) => ({ kind: 'socket' as const, ...one }));

const FRAMES: readonly Members[] = [
  [
    ['chat_id', '$chat'],
    ['text', '"Hello"'],
    ['client_message_id', '"$key"'],
  ],
  [
    ['type', '"message"'],
    ['chat_id', '$chat'],
    ['text', '"Hello"'],
    ['client_message_id', '"$key"'],
    ['reply_to_id', '$message'],
  ],
  [
    ['type', '"read"'],
    ['message_id', '$message'],
  ],
  [
    ['type', '"typing"'],
    ['chat_id', '$chat'],
    ['is_typing', 'false'],
  ],
  [
    ['type', '"edit"'],
    ['message_id', '$message'],
    ['text', '"Hello"'],
  ],
  [
    ['type', '"delete"'],
    ['message_id', '$message'],
  ],
  [
    ['type', '"sync"'],
    ['cursors', VALID.cursors!],
    ['after_chat_id', '0'],
    ['limit', '20'],
  ],
  [
    ['type', '"auth:refresh"'],
    ['token', '"$token"'],
  ],
  [['type', '"ping"']],
];
const frame = corrupted(
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...FRAMES).chain(mutated) }, { weight: 1, arbitrary: hostileJson }),
).chain((text) => mostly(text, fc.constant(`*${text}`)));
/** Frames of the plain WebSocket. */
export const plain: fc.Arbitrary<Input> = fc
  .record({
    path: mostly(
      '/ws/chat?token=$token',
      fc.oneof(
        fc.constantFrom(
          '/ws/$chat?token=$token',
          '/ws/chat?token=$token&user_id=$user',
          '/ws/chat?token=$token&token=x',
          '/ws/__proto__?token=$token',
          '/ws/chat?token=%ff',
          '/ws/?token=$token',
          '/ws/chat/x',
          '/ws/9007199254740993?token=$token',
        ),
        strangeText.map((text) => `/ws/${encodeURIComponent(text.toWellFormed())}?token=$token`),
      ),
      3,
    ),
    frames: fc.array(frame, { minLength: 1, maxLength: 6 }),
  })
  .map((one) => ({ kind: 'plain' as const, ...one }));
