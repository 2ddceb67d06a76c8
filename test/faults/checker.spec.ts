import { check } from './checker.js';
import type { Entry, Seen } from './history.js';
import {
  ANN,
  BEN,
  edit,
  CHAT,
  editedMessage,
  fault,
  deletedMessage,
  received,
  message,
  sampleHistory,
  type SampleHistory,
} from './sample-history.js';

// The checker with short histories. `--bugs` tests it with whole clusters that have a bug.

/** The rules that the history breaks. */
const brokenRules = ({ entries, final }: SampleHistory): string[] => [
  ...new Set(
    check(
      [...entries].sort((one, other) => one.at - other.at),
      final,
    ).violations.map(({ rule }) => rule),
  ),
];

const find =
  <T extends Entry['type']>(type: T, fits: (entry: any) => boolean) =>
  (entry: Entry) =>
    entry.type === type && fits(entry);
const drop = ({ entries }: SampleHistory, which: (entry: Entry) => boolean): void => {
  const index = entries.findIndex(which);
  expect(index).toBeGreaterThanOrEqual(0);
  entries.splice(index, 1);
};
const ackOf = ({ entries }: SampleHistory, op: number) => entries.find(find('ok', (entry) => entry.op === op)) as any;
const stateIn = ({ entries }: SampleHistory) => entries.find(find('client state', () => true)) as any;
const isReceivedByB = (seq: number, event = 'message:created') =>
  find('event', ({ device, name, message: { seq: own } }) => device === 'b' && name === event && own === seq);

/** Ways to break the history, and the rule that reports each. */
const PLANTED_VIOLATIONS: [string, string, (sample: SampleHistory) => void][] = [
  ['an acked message that is not stored', 'acked messages are stored', ({ final }) => (final.messages as Seen[]).pop()],
  [
    'an ack with another number',
    'acked messages are stored',
    (sample) => (ackOf(sample, 3).outcome.message = { ...message(3), seq: 2 }),
  ],
  [
    'an ack of a replay with a new message',
    'a replay returns the original',
    (sample) => {
      const { what } = sample.entries.find(find('invoke', ({ op }) => op === 3)) as any;
      const outcome = { kind: 'send', message: { ...message(3), id: 999 }, replayed: true } as const;
      sample.entries.push({ at: 400, type: 'invoke', op: 30, process: 'a', what });
      sample.entries.push({ at: 410, type: 'ok', op: 30, outcome });
    },
  ],
  [
    'a key that is stored twice',
    'one message per key',
    ({ final }) => (final.messages as Seen[]).push({ ...message(6), key: 'k5' }),
  ],
  [
    'a refused message that is stored',
    'refused messages are not stored',
    (sample) => Object.assign(ackOf(sample, 5), { type: 'fail', why: 'chat_not_found' }),
  ],
  ['a missing seq', 'no gap in seq', ({ final }) => (final.messages as Seen[]).splice(1, 1)],
  ['a last_seq that is too high', 'no gap in seq', ({ final }) => Object.assign(final.chats[0]!, { lastSeq: 6 })],
  [
    'a clock that runs backwards',
    'timestamps never go back',
    ({ final }) => ((final.messages as Seen[])[1] = { ...message(2), timestamp: '2020-01-01T00:00:00.000Z' }),
  ],
  [
    'a message with a lower seq than one acked before it was sent',
    'messages in send order',
    (sample) => {
      ackOf(sample, 1).outcome = ackOf(sample, 2).outcome;
      ackOf(sample, 2).outcome = { kind: 'send', message: message(1), replayed: false };
    },
  ],
  [
    'a stored message that nobody sent',
    'no phantom messages',
    (sample) => {
      drop(
        sample,
        find('invoke', ({ op }) => op === 4),
      );
      drop(
        sample,
        find('ok', ({ op }) => op === 4),
      );
    },
  ],
  [
    'an event with another text',
    'no phantom messages',
    (sample) => ((sample.entries.find(isReceivedByB(2)) as any).message = { ...message(2), text: 'other' }),
  ],
  [
    'an event of a message that is not stored',
    'no phantom messages',
    ({ entries }) => entries.push(received(450, 'b', BEN, message(6))),
  ],
  ['events out of order', 'events in order', (sample) => ((sample.entries.find(isReceivedByB(1)) as any).at = 250)],
  [
    'an event to a user who is not a member',
    'only members receive',
    ({ entries }) => entries.push(received(10_105, 'b', BEN, message(4))),
  ],
  [
    'a sync answer to a user who is not a member',
    'only members receive',
    ({ entries }) => {
      const outcome = { kind: 'sync', chats: [{ id: CHAT, lastRead: 3, messages: [] }], removed: [] } as const;
      entries.push({
        at: 11_000,
        type: 'invoke',
        op: 30,
        process: 'b',
        what: { kind: 'sync', user: BEN, device: 'b' },
      });
      entries.push({ at: 11_010, type: 'ok', op: 30, outcome });
    },
  ],
  [
    'a message of a user who is not a member',
    'only members write',
    (sample) => Object.assign((sample.entries.find(find('invoke', ({ op }) => op === 4)) as any).what, { user: BEN }),
  ],
  ['an event that never arrives', 'delivered within 6 s', (sample) => drop(sample, isReceivedByB(2))],
  [
    'an event that arrives late',
    'delivered within 6 s',
    (sample) => ((sample.entries.find(isReceivedByB(3)) as any).at = 9_000),
  ],
  [
    'a message that is missing long after a fault',
    'delivered after a fault',
    (sample) => {
      drop(sample, isReceivedByB(2));
      sample.entries.push(...fault('pause a node', 190, 250, 260));
    },
  ],
  [
    'an acked edit that is not stored',
    'acked messages are stored',
    ({ final }) => ((final.messages as Seen[])[2] = message(3)),
  ],
  [
    'a deletion with the change_seq of another change',
    'one change per change_seq',
    ({ final }) => ((final.messages as Seen[])[1] = deletedMessage(2, 1)),
  ],
  [
    'an edit that nobody requested',
    'no phantom messages',
    (sample) => {
      drop(
        sample,
        find('invoke', ({ op }) => op === 12),
      );
      drop(
        sample,
        find('ok', ({ op }) => op === 12),
      );
    },
  ],
  [
    'a change with different content for two devices',
    'same version for everybody',
    (sample) => ((sample.entries.find(isReceivedByB(3, 'message:updated')) as any).message = deletedMessage(3, 1)),
  ],
  [
    'an edit by a user who is not a member',
    'only members write',
    ({ entries }) => entries.push(...edit(11_000, 30, BEN, editedMessage(1, 3), [])),
  ],
  [
    'an edit event to a user who is not a member',
    'only members receive',
    ({ entries }) => entries.push(...edit(11_000, 30, ANN, editedMessage(1, 3), [['b', BEN]])),
  ],
  [
    'an edit event that never arrives',
    'delivered within 6 s',
    (sample) => drop(sample, isReceivedByB(3, 'message:updated')),
  ],
  [
    'a deletion event that arrives late',
    'delivered within 6 s',
    (sample) => ((sample.entries.find(isReceivedByB(2, 'message:deleted')) as any).at = 9_000),
  ],
  [
    'an edit that is missing long after a fault',
    'delivered after a fault',
    (sample) => {
      drop(sample, isReceivedByB(3, 'message:updated'));
      sample.entries.push(...fault('pause a node', 690, 750, 760));
    },
  ],
  ['a device that ends with an old text', 'complete at the end', ({ messages }) => (messages[2] = message(3))],
  ['a device that ends without a message', 'complete at the end', ({ messages }) => messages.pop()],
  [
    'a device that keeps a chat of which it is not a member',
    'complete at the end',
    ({ final }) => (final.members as unknown[]).pop(),
  ],
  [
    'a read cursor that went back',
    'read cursors never go back',
    ({ final }) => Object.assign(final.members[1]!, { lastRead: 2 }),
  ],
  [
    'a sync answer without an earlier read',
    'read cursors never go back',
    (sample) => (ackOf(sample, 11).outcome.chats[0] = { id: CHAT, lastRead: 2, messages: [] }),
  ],
  [
    'a message that the client has accepted and lost',
    'accepted messages are stored once',
    ({ entries }) => entries.push({ at: 30_000, type: 'accepted', device: 'a', user: ANN, chat: CHAT, key: 'k6' }),
  ],
  [
    'a client that does not send what it has accepted',
    'outboxes are empty at the end',
    (sample) => (stateIn(sample).outbox = [{ kind: 'edit', key: 'k5', error: null }]),
  ],
  [
    'a client with another read position',
    'clients end as the server',
    (sample) => (stateIn(sample).chats[0].lastRead = 4),
  ],
  ['a client with another member', 'clients end as the server', (sample) => stateIn(sample).chats[0].members.push(3)],
  [
    'a fault with a slow recovery',
    'recovered within 5 s',
    ({ entries }) => {
      entries.push(...fault('kill -9 Redis', 30_000, 30_100, 39_000));
    },
  ],
];

describe('the checker of the fault tests', () => {
  it('reports nothing when every rule is kept', () => {
    const { entries, final } = sampleHistory();
    const { violations, counts, latencies } = check(entries, final);
    expect(violations).toEqual([]);
    expect(counts).toMatchObject({ 'messages sent': 5, acked: 5, 'received live': 9, 'received twice': 0 });
    expect(latencies).toHaveLength(5);
  });

  it('excuses a disconnected device, a message sent during a fault, and a duplicate event', () => {
    const sample = sampleHistory();
    drop(sample, isReceivedByB(2));
    sample.entries.push(...fault('kill -9 a node', 190, 250, 260));
    // The device gets the message later, by its sync.
    (ackOf(sample, 11).outcome.chats[0].messages as Seen[]).unshift(message(2));
    sample.entries.push(received(460, 'b', BEN, message(3)));
    sample.entries.push({ at: 20_104, type: 'down', device: 'a', user: ANN, connection: 1 });
    drop(
      sample,
      find('event', ({ device, message: { seq } }) => device === 'a' && seq === 5),
    );
    expect(brokenRules(sample)).toEqual([]);
  });

  it('does not excuse late delivery while Redis is unavailable', () => {
    const sample = sampleHistory();
    drop(sample, isReceivedByB(2));
    sample.entries.push(...fault('kill -9 Redis', 190, 250, 260));
    expect(brokenRules(sample)).toEqual(['delivered within 6 s']);
  });

  it('accepts that a client gives a message up, and says why', () => {
    const sample = sampleHistory();
    sample.entries.push({ at: 30_000, type: 'accepted', device: 'a', user: ANN, chat: CHAT, key: 'k6' });
    stateIn(sample).outbox = [{ kind: 'send', key: 'k6', error: 'chat_not_found' }];
    expect(brokenRules(sample)).toEqual([]);
  });

  it.each(PLANTED_VIOLATIONS)('reports %s: %s', (_, rule, breakRule) => {
    const sample = sampleHistory();
    breakRule(sample);
    expect(brokenRules(sample)).toContain(rule);
  });
});
