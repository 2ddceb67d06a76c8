import type { Chat } from '../../../src/contract/chats.js';
import type { Message } from '../../../src/contract/messages.js';
import { Outbox } from '../src/outbox.js';
import { OutboxSender, type Outcome } from '../src/outbox-sender.js';
import { Persister } from '../src/persister.js';
import { MemoryDatabase } from '../src/storage/memory.js';
import { Store } from '../src/store.js';
import { HandClock } from './clients.js';
import { tableOf } from './state-tables.js';

const STATES = ['waiting', 'under way', 'pausing', 'suspected', 'failed', 'gone'] as const;
type State = (typeof STATES)[number];
type Row = readonly [
  State | 'never',
  State | 'never',
  State | 'never',
  State | 'never',
  State | 'never',
  State | 'never',
];

/** What each event leads to, in the order of the states. */
const TABLE = {
  ready: ['under way', 'under way', 'pausing', 'under way', 'failed', 'gone'],
  acked: ['never', 'gone', 'never', 'never', 'never', 'never'],
  refused: ['never', 'failed', 'never', 'never', 'never', 'never'],
  later: ['never', 'pausing', 'never', 'never', 'never', 'never'],
  cut: ['never', 'suspected', 'never', 'never', 'never', 'never'],
  'pause over': ['never', 'never', 'under way', 'never', 'never', 'never'],
  heard: ['gone', 'gone', 'gone', 'gone', 'gone', 'gone'],
  edited: ['waiting', 'under way', 'pausing', 'suspected', 'failed', 'gone'],
  removed: ['gone', 'under way', 'pausing', 'suspected', 'gone', 'gone'],
  retried: ['waiting', 'under way', 'pausing', 'suspected', 'waiting', 'gone'],
  dropped: ['waiting', 'under way', 'pausing', 'suspected', 'gone', 'gone'],
  restarted: ['waiting', 'waiting', 'waiting', 'suspected', 'failed', 'gone'],
} satisfies Record<string, Row>;
type EventName = keyof typeof TABLE;

const CHAT = { id: 1, last_seq: 0, last_change_seq: 0, last_message: null, member_count: 2 } as Chat;

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
};

/** The outbox of a tab, whose tries end as the test says. */
class Bench {
  key = '';
  isReady = false;
  private readonly attempts: ((outcome: Outcome) => void)[] = [];
  private readonly clock = new HandClock();
  private readonly persister = new Persister(this.database, this.clock);
  private readonly store = new Store(1, this.persister);
  private readonly outbox = new Outbox(
    this.database,
    this.clock,
    () => this.sender.drain(),
    () => Promise.resolve(),
  );
  private readonly sender = new OutboxSender(
    this.outbox,
    {
      attempt: () => new Promise((resolve) => this.attempts.push(resolve)),
      isReady: () => this.isReady,
      done: ({ position }) => this.persister.done(position),
      change: (entry, change) => this.persister.replace({ ...this.outbox.current(entry), ...change }),
    },
    this.clock,
  );

  constructor(readonly database: MemoryDatabase) {}

  async open(): Promise<this> {
    this.store.startChat(CHAT);
    await this.outbox.load();
    this.outbox.lead();
    this.persister.lead(this.store, this.outbox);
    await turns();
    return this;
  }

  get state(): State {
    const send = this.outbox.entries.peek().find(({ kind, key }) => kind === 'send' && key === this.key);
    if (!send) return 'gone';
    if (send.error) return 'failed';
    if (this.attempts.length > 0) return 'under way';
    if (this.clock.pauses().length > 0) return 'pausing';
    return send.cuts > 0 ? 'suspected' : 'waiting';
  }

  /** Writes a message, and brings it into a state. */
  async bring(state: State): Promise<void> {
    this.key = await this.outbox.send(CHAT.id, 'text');
    const ways: Record<State, EventName[]> = {
      waiting: [],
      'under way': ['ready'],
      pausing: ['ready', 'later'],
      suspected: ['ready', 'cut'],
      failed: ['ready', 'refused'],
      gone: ['ready', 'acked'],
    };
    for (const event of ways[state]) await this.meet(event);
  }

  /** False when the event can't happen. */
  async meet(event: EventName): Promise<boolean> {
    // A connection that was cut is not ready at once, and neither is anything else until the test says so.
    this.isReady = event === 'ready' || event === 'pause over';
    const isPossible = await this.happen(event);
    await turns();
    return isPossible;
  }

  private async happen(event: EventName): Promise<boolean> {
    const message = {
      id: 7,
      chat_id: 1,
      seq: 1,
      client_message_id: this.key,
      sender_id: 1,
      change_seq: null,
    } as Message;
    const outcomes: Partial<Record<EventName, Outcome>> = {
      acked: { kind: 'done' },
      refused: { kind: 'refused', code: 'blocked' },
      later: { kind: 'later', retryAfterMs: 100 },
      cut: { kind: 'cut' },
    };
    const outcome = outcomes[event];
    if (outcome) return this.end(outcome);
    if (event === 'pause over') return this.clock.pass(() => true);
    if (event === 'ready') this.sender.drain();
    if (event === 'heard') this.store.apply('message:created', message);
    if (event === 'edited') await this.outbox.edit(1, this.key, 'edited', undefined);
    if (event === 'removed') await this.outbox.remove(1, this.key, undefined);
    if (event === 'retried') await this.outbox.retry(1, this.key);
    if (event === 'dropped') await this.outbox.drop(1, this.key);
    return true;
  }

  private end(outcome: Outcome): boolean {
    const attempt = this.attempts.shift();
    attempt?.(outcome);
    return attempt !== undefined;
  }
}

describe('a message in the outbox', () => {
  const cells = Object.entries(TABLE).flatMap(([event, row]) =>
    STATES.map((state, index) => ({ event: event as EventName, state, next: (row as Row)[index]! })),
  );

  it.each(cells)('that is $state and then $event is $next', async ({ event, state, next }) => {
    const database = new MemoryDatabase();
    let bench = await new Bench(database).open();
    await bench.bring(state);
    expect(bench.state).toBe(state);
    const { key } = bench;
    if (event === 'restarted') {
      bench = await new Bench(database).open();
      bench.key = key;
      expect(bench.state).toBe(next);
      return;
    }
    const isPossible = await bench.meet(event);
    expect(isPossible ? bench.state : 'never').toBe(next);
    // What waits after a restart is what is shown, but for a try that is under way and a pause.
    const again = await new Bench(database).open();
    again.key = key;
    const stored = bench.state === 'under way' || bench.state === 'pausing' ? ['waiting', 'suspected'] : [bench.state];
    expect(stored).toContain(again.state);
  });

  it('has no state and no event that STATES.md leaves out', () => {
    expect(tableOf('A message in the outbox')).toEqual({ states: STATES, rows: TABLE });
  });
});
