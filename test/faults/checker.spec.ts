import { check } from './checker.js';
import type { Entry, Seen } from './history.js';
import { ANN, BEN, changed, CHAT, edited, fault, gone, heard, message, story, type Story } from './story.js';

// The checker against stories of a few lines. What whole clusters with a bug in them look like, `--bugs` shows.

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
const bHears = (seq: number, event = 'message:created') =>
  find('event', ({ device, name, message: { seq: own } }) => device === 'b' && name === event && own === seq);

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
      story.entries.push(...fault('stop a node', 190, 250, 260));
    },
  ],
  ['an acked edit that is not stored', 'acked is stored', ({ final }) => ((final.messages as Seen[])[2] = message(3))],
  [
    'a deletion that another change has the number of',
    'one change for a number',
    ({ final }) => ((final.messages as Seen[])[1] = gone(2, 1)),
  ],
  [
    'an edit that nobody asked for',
    'nothing phantom',
    (story) => {
      drop(
        story,
        find('invoke', ({ op }) => op === 12),
      );
      drop(
        story,
        find('ok', ({ op }) => op === 12),
      );
    },
  ],
  [
    'a change that is one thing to one and another to another',
    'one version for all',
    (story) => ((story.entries.find(bHears(3, 'message:updated')) as any).message = gone(3, 1)),
  ],
  [
    'an edit by somebody who is out',
    'only members write',
    ({ entries }) => entries.push(...changed(11_000, 30, BEN, edited(1, 3), [])),
  ],
  [
    'an edit that somebody hears who is out',
    'only members hear',
    ({ entries }) => entries.push(...changed(11_000, 30, ANN, edited(1, 3), [['b', BEN]])),
  ],
  ['an edit that never came', 'live within 6 s', (story) => drop(story, bHears(3, 'message:updated'))],
  [
    'a deletion that came late',
    'live within 6 s',
    (story) => ((story.entries.find(bHears(2, 'message:deleted')) as any).at = 9_000),
  ],
  [
    'an edit that is missing long after a fault',
    'there after a fault',
    (story) => {
      drop(story, bHears(3, 'message:updated'));
      story.entries.push(...fault('stop a node', 690, 750, 760));
    },
  ],
  ['a device that ends with an old text', 'all in the end', ({ messages }) => (messages[2] = message(3))],
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
      entries.push(...fault('kill -9 Redis', 30_000, 30_100, 39_000));
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
    told.entries.push(...fault('kill -9 a node', 190, 250, 260));
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
    told.entries.push(...fault('kill -9 Redis', 190, 250, 260));
    expect(broken(told)).toEqual(['live within 6 s']);
  });

  it.each(LIES)('finds %s: %s', (_, rule, tell) => {
    const told = story();
    tell(told);
    expect(broken(told)).toContain(rule);
  });
});
