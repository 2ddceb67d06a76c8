import { check } from './checker.js';
import type { Entry, Final, Seen } from './history.js';

// The checker against stories of a few lines. What whole clusters with a bug in them look like, `--bugs` shows.

const CHAT = 7;
const [ANN, BEN] = [1, 2];

type Story = { entries: Entry[]; messages: Seen[]; final: Final };

const message = (seq: number): Seen => ({
  id: 100 + seq,
  chat: CHAT,
  seq,
  sender: ANN,
  key: `k${seq}`,
  text: `text ${seq}`,
  timestamp: `2026-01-01T00:00:0${seq}.000Z`,
});

const heard = (at: number, device: string, user: number, what: Seen): Entry => ({
  at,
  type: 'event',
  device,
  user,
  connection: 1,
  name: 'message:created',
  chat: CHAT,
  message: what,
});

/** Ann writes k1 … k5; Ben hears them, but for k4, which is sent while he is out of the group; then both hold them all. */
function story(): Story {
  const messages = [1, 2, 3, 4, 5].map(message);
  const entries: Entry[] = [
    { at: 0, type: 'founded', chat: CHAT, users: [ANN, BEN] },
    { at: 1, type: 'up', device: 'a', user: ANN, connection: 1 },
    { at: 1, type: 'up', device: 'b', user: BEN, connection: 1 },
  ];
  const says = (at: number, seq: number, listeners: [string, number][]): void => {
    const { key, text } = message(seq);
    const what = { kind: 'send', user: ANN, chat: CHAT, key, text: text! } as const;
    entries.push({ at, type: 'invoke', op: seq, process: 'a', what });
    for (const [device, user] of listeners) entries.push(heard(at + 5, device, user, message(seq)));
    const outcome = { kind: 'send', message: message(seq), replayed: false } as const;
    entries.push({ at: at + 10, type: 'ok', op: seq, outcome });
  };
  const moves = (at: number, op: number, kind: 'add' | 'remove'): void => {
    entries.push({ at, type: 'invoke', op, process: 'owner', what: { kind, chat: CHAT, user: BEN } });
    entries.push({ at: at + 10, type: 'ok', op, outcome: { kind } });
  };
  const both: [string, number][] = [
    ['a', ANN],
    ['b', BEN],
  ];
  says(100, 1, both);
  says(200, 2, both);
  says(300, 3, both);
  const reads = { kind: 'read', user: BEN, chat: CHAT, seq: 3 } as const;
  entries.push({ at: 500, type: 'invoke', op: 10, process: 'b', what: reads });
  entries.push({ at: 510, type: 'ok', op: 10, outcome: { kind: 'read', seq: 3 } });
  const syncs = { kind: 'sync', user: BEN, device: 'b' } as const;
  const told = { kind: 'sync', chats: [{ id: CHAT, lastRead: 3, messages: [message(3)] }], removed: [] } as const;
  entries.push({ at: 600, type: 'invoke', op: 11, process: 'b', what: syncs });
  entries.push({ at: 610, type: 'ok', op: 11, outcome: told });
  moves(10_000, 20, 'remove');
  says(10_100, 4, [['a', ANN]]);
  moves(20_000, 21, 'add');
  says(20_100, 5, both);
  for (const [device, user] of both) entries.push({ at: 40_000, type: 'holds', device, user, chat: CHAT, messages });
  const members = [ANN, BEN].map((user) => ({ chat: CHAT, user, lastRead: 5 }));
  return { entries, messages, final: { chats: [{ id: CHAT, lastSeq: 5 }], messages: [...messages], members } };
}

/** What is said of the story as it is now. */
const broken = ({ entries, final }: Story): string[] => [
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
const drop = ({ entries }: Story, which: (entry: Entry) => boolean): void => {
  const index = entries.findIndex(which);
  expect(index).toBeGreaterThanOrEqual(0);
  entries.splice(index, 1);
};
const ackOf = ({ entries }: Story, op: number) => entries.find(find('ok', (entry) => entry.op === op)) as any;
const bHears = (seq: number) => find('event', ({ device, message: { seq: own } }) => device === 'b' && own === seq);

/** A lie, and the rule that finds it. */
const LIES: [string, string, (story: Story) => void][] = [
  ['an acked message that is not stored', 'acked is stored', ({ final }) => (final.messages as Seen[]).pop()],
  [
    'an ack with another number',
    'acked is stored',
    (story) => (ackOf(story, 3).outcome.message = { ...message(3), seq: 2 }),
  ],
  [
    'an ack of a replay with a new message',
    'a replay is the original',
    (story) => {
      const { what } = story.entries.find(find('invoke', ({ op }) => op === 3)) as any;
      const outcome = { kind: 'send', message: { ...message(3), id: 999 }, replayed: true } as const;
      story.entries.push({ at: 400, type: 'invoke', op: 30, process: 'a', what });
      story.entries.push({ at: 410, type: 'ok', op: 30, outcome });
    },
  ],
  [
    'a key that is stored twice',
    'one message for a key',
    ({ final }) => (final.messages as Seen[]).push({ ...message(6), key: 'k5' }),
  ],
  [
    'a refused message that is stored',
    'refused is not stored',
    (story) => Object.assign(ackOf(story, 5), { type: 'fail', why: 'chat_not_found' }),
  ],
  ['a number that is missing', 'no hole', ({ final }) => (final.messages as Seen[]).splice(1, 1)],
  ['a last_seq that is ahead', 'no hole', ({ final }) => Object.assign(final.chats[0]!, { lastSeq: 6 })],
  [
    'a clock that runs backwards',
    'time runs forwards',
    ({ final }) => ((final.messages as Seen[])[1] = { ...message(2), timestamp: '2020-01-01T00:00:00.000Z' }),
  ],
  [
    'a message before one that was acked earlier',
    'order of sending',
    (story) => {
      ackOf(story, 1).outcome = ackOf(story, 2).outcome;
      ackOf(story, 2).outcome = { kind: 'send', message: message(1), replayed: false };
    },
  ],
  [
    'a stored message that nobody sent',
    'nothing phantom',
    (story) => {
      drop(
        story,
        find('invoke', ({ op }) => op === 4),
      );
      drop(
        story,
        find('ok', ({ op }) => op === 4),
      );
    },
  ],
  [
    'an event with another text',
    'nothing phantom',
    (story) => ((story.entries.find(bHears(2)) as any).message = { ...message(2), text: 'other' }),
  ],
  [
    'an event of what is not stored',
    'nothing phantom',
    ({ entries }) => entries.push(heard(450, 'b', BEN, message(6))),
  ],
  ['events out of order', 'events in order', (story) => ((story.entries.find(bHears(1)) as any).at = 250)],
  [
    'an event to somebody who is out',
    'only members hear',
    ({ entries }) => entries.push(heard(10_105, 'b', BEN, message(4))),
  ],
  [
    'a sync that tells somebody who is out',
    'only members hear',
    ({ entries }) => {
      const told = { kind: 'sync', chats: [{ id: CHAT, lastRead: 3, messages: [] }], removed: [] } as const;
      entries.push({
        at: 11_000,
        type: 'invoke',
        op: 30,
        process: 'b',
        what: { kind: 'sync', user: BEN, device: 'b' },
      });
      entries.push({ at: 11_010, type: 'ok', op: 30, outcome: told });
    },
  ],
  [
    'a message of somebody who is out',
    'only members write',
    (story) => Object.assign((story.entries.find(find('invoke', ({ op }) => op === 4)) as any).what, { user: BEN }),
  ],
  ['an event that never came', 'live within 6 s', (story) => drop(story, bHears(2))],
  ['an event that came late', 'live within 6 s', (story) => ((story.entries.find(bHears(3)) as any).at = 9_000)],
  [
    'a message that is missing long after a fault',
    'there after a fault',
    (story) => {
      drop(story, bHears(2));
      for (const [at, phase] of [
        [190, 'begin'],
        [250, 'end'],
        [260, 'recovered'],
      ] as const) {
        story.entries.push({ at, type: 'fault', kind: 'stop a node', phase, fault: 0 });
      }
    },
  ],
  ['a device that ends without a message', 'all in the end', ({ messages }) => messages.pop()],
  ['a device that keeps a chat it is out of', 'all in the end', ({ final }) => (final.members as unknown[]).pop()],
  ['a read mark that went back', 'read marks grow', ({ final }) => Object.assign(final.members[1]!, { lastRead: 2 })],
  [
    'a sync that knows nothing of a read',
    'read marks grow',
    (story) => (ackOf(story, 11).outcome.chats[0] = { id: CHAT, lastRead: 2, messages: [] }),
  ],
  [
    'a fault that takes long to recover from',
    'back within 3 s',
    ({ entries }) => {
      for (const [at, phase] of [
        [30_000, 'begin'],
        [30_100, 'end'],
        [39_000, 'recovered'],
      ] as const) {
        entries.push({ at, type: 'fault', kind: 'kill -9 Redis', phase, fault: 0 });
      }
    },
  ],
];

describe('the checker', () => {
  it('says nothing of a story in which every promise is kept', () => {
    const { entries, final } = story();
    const { violations, counts, latencies } = check(entries, final);
    expect(violations).toEqual([]);
    expect(counts).toMatchObject({ 'messages sent': 5, acked: 5, 'heard live': 9, 'heard twice': 0 });
    expect(latencies).toHaveLength(5);
  });

  it('excuses a device that was cut, a message in a fault, and an event that came twice', () => {
    const told = story();
    drop(told, bHears(2));
    for (const [at, phase] of [
      [190, 'begin'],
      [250, 'end'],
      [260, 'recovered'],
    ] as const) {
      told.entries.push({ at, type: 'fault', kind: 'kill -9 a node', phase, fault: 0 });
    }
    // By its sync, later.
    (ackOf(told, 11).outcome.chats[0].messages as Seen[]).unshift(message(2));
    told.entries.push(heard(460, 'b', BEN, message(3)));
    told.entries.push({ at: 20_104, type: 'down', device: 'a', user: ANN, connection: 1 });
    drop(
      told,
      find('event', ({ device, message: { seq } }) => device === 'a' && seq === 5),
    );
    expect(broken(told)).toEqual([]);
  });

  it('does not take the absence of Redis for an excuse', () => {
    const told = story();
    drop(told, bHears(2));
    for (const [at, phase] of [
      [190, 'begin'],
      [250, 'end'],
      [260, 'recovered'],
    ] as const) {
      told.entries.push({ at, type: 'fault', kind: 'kill -9 Redis', phase, fault: 0 });
    }
    expect(broken(told)).toEqual(['live within 6 s']);
  });

  it.each(LIES)('finds %s: %s', (_, rule, tell) => {
    const told = story();
    tell(told);
    expect(broken(told)).toContain(rule);
  });
});
