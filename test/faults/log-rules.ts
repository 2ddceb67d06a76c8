import type { Rule, Violation } from './checker.js';
import { type Evidence, groupBy, type Sending, setbacks } from './evidence.js';
import type { Seen } from './history.js';

// What must be true of the log in the database, given what senders were told.

export const violation = (rule: string, what: string, evidence: Violation['evidence']): Violation => ({
  rule,
  what,
  evidence,
});

const agree = (one: Seen, other: Seen, fields: readonly (keyof Seen)[]): boolean =>
  fields.every((field) => one[field] === other[field]);

/** The same message, in the same version. */
export const same = (one: Seen, other: Seen | undefined): boolean =>
  other !== undefined && isOf(one, other) && agree(one, other, ['text', 'changeSeq', 'deleted']);

/** The same message, `one` in the version of the other or an earlier one. */
export const isOf = (one: Seen, other: Seen | undefined): boolean =>
  other !== undefined &&
  agree(one, other, ['id', 'chat', 'seq', 'sender', 'key', 'timestamp']) &&
  (one.changeSeq === other.changeSeq
    ? agree(one, other, ['text', 'deleted'])
    : (one.changeSeq ?? 0) < (other.changeSeq ?? 0));

const rowsByKey = ({ final }: Evidence): Map<string, Seen[]> => groupBy(final.messages, ({ key }) => key);

/** The message of this number in its chat, if there is one. */
export const rowAt = ({ rows }: Evidence, chat: number, seq: number): Seen | undefined => rows.get(chat)?.[seq - 1];

function* acked(evidence: Evidence): Generator<Sending & { readonly first: Sending['oks'][number] }> {
  for (const sending of evidence.sendings.values()) {
    const [first] = sending.oks;
    if (first) yield { ...sending, first };
  }
}

/** An ack is for ever: what it told is what is stored. */
const durable: Rule = function* (evidence) {
  const rows = rowsByKey(evidence);
  for (const { what, oks } of acked(evidence)) {
    for (const { message } of oks) {
      if (!rows.get(what.key)?.some((row) => isOf(message, row))) {
        yield violation(
          'acked is stored',
          `${what.key} was acked as ${message.chat}/${message.seq} and is not there`,
          evidence.about(what.key),
        );
        break;
      }
    }
  }
};

/** One message for a key; every ack of it names that one. */
const once: Rule = function* (evidence) {
  const rows = rowsByKey(evidence);
  for (const { what, oks } of evidence.sendings.values()) {
    const stored = rows.get(what.key)?.length ?? 0;
    if (stored > 1)
      yield violation('one message for a key', `${what.key} is stored ${stored} times`, evidence.about(what.key));
    const told = new Set(oks.map(({ message }) => `${message.id} at ${message.chat}/${message.seq}`));
    if (told.size > 1) {
      yield violation(
        'a replay is the original',
        `${what.key} was acked as ${[...told].join(' and ')}`,
        evidence.about(what.key),
      );
    }
  }
};

/** Refused for good, and never in doubt, is never stored. */
const refusedIsNothing: Rule = function* (evidence) {
  const rows = rowsByKey(evidence);
  for (const { what, oks, fails, unknowns } of evidence.sendings.values()) {
    if (fails > 0 && unknowns === 0 && oks.length === 0 && rows.has(what.key)) {
      yield violation('refused is not stored', `${what.key} was refused and is there`, evidence.about(what.key));
    }
  }
};

/** 1, 2, 3 … without a hole, up to `last_seq`, and time does not run backwards. */
const dense: Rule = function* ({ final, rows }) {
  for (const { id, lastSeq } of final.chats) {
    const messages = rows.get(id) ?? [];
    const hole = messages.findIndex(({ seq }, index) => seq !== index + 1);
    if (hole >= 0) yield violation('no hole', `chat ${id} has ${messages[hole]!.seq} where ${hole + 1} should be`, []);
    if (messages.length !== lastSeq) {
      yield violation('no hole', `chat ${id} has ${messages.length} messages, and last_seq ${lastSeq}`, []);
    }
    const back = messages.findIndex(({ timestamp }, index) => index > 0 && timestamp < messages[index - 1]!.timestamp);
    if (back >= 0) yield violation('time runs forwards', `chat ${id} runs backwards at ${back + 1}`, []);
  }
};

/** What was acked before another was begun stands before it. */
const order: Rule = function* (evidence) {
  for (const sendings of groupBy(acked(evidence), ({ what }) => what.chat).values()) {
    const readings = sendings.map(({ what, invoked, first }) => {
      return { key: what.key, begin: invoked, end: first.at, value: first.message.seq };
    });
    for (const { earlier, later } of setbacks(readings)) {
      const what = `${later.key} came after ${earlier.key}, and stands before it`;
      yield violation('order of sending', what, [...evidence.about(earlier.key, 3), ...evidence.about(later.key, 3)]);
    }
  }
};

/** Whatever is stored was sent, by that sender, with that text, or was changed to it. */
const nothingMadeUp: Rule = function* (evidence) {
  for (const row of evidence.final.messages) {
    const what = evidence.sendings.get(row.key)?.what;
    if (what?.chat !== row.chat || what.user !== row.sender || !evidence.isAsked(row)) {
      yield violation(
        'nothing phantom',
        `${row.chat}/${row.seq} with the key ${row.key} was never sent like that`,
        evidence.about(row.key),
      );
    }
  }
};

/** Marks only grow, and none of what was read is forgotten. */
const readMarks: Rule = function* (evidence) {
  const { reads, syncs, final } = evidence;
  const marks = [
    // What was read, or written, says what the mark is at the least; a sync and the database say what it is.
    ...[...acked(evidence)].map(({ what, first }) => {
      return { ...what, begin: -Infinity, end: first.at, value: first.message.seq };
    }),
    ...reads.map(({ what, ended }) => ({ ...what, begin: -Infinity, end: ended, value: what.seq })),
    ...syncs.flatMap(({ what: { user }, invoked, ended, outcome }) =>
      outcome.chats.map(({ id, lastRead }) => ({ chat: id, user, begin: invoked, end: ended, value: lastRead })),
    ),
    ...final.members.map(({ chat, user, lastRead }) => ({
      chat,
      user,
      begin: Infinity,
      end: Infinity,
      value: lastRead,
    })),
  ];
  for (const group of groupBy(marks, ({ chat, user }) => `${chat} ${user}`).values()) {
    for (const { earlier, later } of setbacks(group)) {
      const what = `user ${later.user} had read chat ${later.chat} up to ${earlier.value}, then up to ${later.value}`;
      yield violation('read marks grow', what, []);
    }
  }
};

export const logRules: readonly Rule[] = [durable, once, refusedIsNothing, dense, order, nothingMadeUp, readMarks];
