import type { Rule, Violation } from './checker.js';
import { type Evidence, groupBy, type SendAttempts, decreases } from './evidence.js';
import type { Seen } from './history.js';

// The rules for the messages in the database, compared with the answers that senders got.

export const violation = (rule: string, what: string, evidence: Violation['evidence']): Violation => ({
  rule,
  what,
  evidence,
});

const agree = (one: Seen, other: Seen, fields: readonly (keyof Seen)[]): boolean =>
  fields.every((field) => one[field] === other[field]);

/** Whether both are the same version of the same message. */
export const isSame = (one: Seen, other: Seen | undefined): boolean =>
  other !== undefined && isVersionOf(one, other) && agree(one, other, ['text', 'changeSeq', 'deleted']);

/** Whether both are the same message, and `one` is the same version or an earlier one. */
export const isVersionOf = (one: Seen, other: Seen | undefined): boolean =>
  other !== undefined &&
  agree(one, other, ['id', 'chat', 'seq', 'sender', 'key', 'timestamp']) &&
  (one.changeSeq === other.changeSeq
    ? agree(one, other, ['text', 'deleted'])
    : (one.changeSeq ?? 0) < (other.changeSeq ?? 0));

const rowsByKey = ({ final }: Evidence): Map<string, Seen[]> => groupBy(final.messages, ({ key }) => key);

/** The message with this seq in the chat, if any. */
export const rowAt = ({ rows }: Evidence, chat: number, seq: number): Seen | undefined => rows.get(chat)?.[seq - 1];

function* acked(evidence: Evidence): Generator<SendAttempts & { readonly first: SendAttempts['oks'][number] }> {
  for (const send of evidence.sends.values()) {
    const [first] = send.oks;
    if (first) yield { ...send, first };
  }
}

/** An acked message is durable: it is stored as acked. */
const durable: Rule = function* (evidence) {
  const rows = rowsByKey(evidence);
  for (const { what, oks } of acked(evidence)) {
    for (const { message } of oks) {
      if (!rows.get(what.key)?.some((row) => isVersionOf(message, row))) {
        yield violation(
          'acked messages are stored',
          `${what.key} was acked as ${message.chat}/${message.seq} and is not stored`,
          evidence.about(what.key),
        );
        break;
      }
    }
  }
};

/** A key has one message, and every ack returns that one. */
const oneMessagePerKey: Rule = function* (evidence) {
  const rows = rowsByKey(evidence);
  for (const { what, oks } of evidence.sends.values()) {
    const stored = rows.get(what.key)?.length ?? 0;
    if (stored > 1)
      yield violation('one message per key', `${what.key} is stored ${stored} times`, evidence.about(what.key));
    const acks = new Set(oks.map(({ message }) => `${message.id} at ${message.chat}/${message.seq}`));
    if (acks.size > 1) {
      yield violation(
        'a replay returns the original',
        `${what.key} was acked as ${[...acks].join(' and ')}`,
        evidence.about(what.key),
      );
    }
  }
};

/** A message is not stored when all its attempts were finally refused. */
const refusedNotStored: Rule = function* (evidence) {
  const rows = rowsByKey(evidence);
  for (const { what, oks, fails, unknowns } of evidence.sends.values()) {
    if (fails > 0 && unknowns === 0 && oks.length === 0 && rows.has(what.key)) {
      yield violation(
        'refused messages are not stored',
        `${what.key} was refused and is stored`,
        evidence.about(what.key),
      );
    }
  }
};

/** `seq` is 1, 2, 3 … without gaps, up to `last_seq`, and timestamps never decrease. */
const noGaps: Rule = function* ({ final, rows }) {
  for (const { id, lastSeq } of final.chats) {
    const messages = rows.get(id) ?? [];
    const gap = messages.findIndex(({ seq }, index) => seq !== index + 1);
    if (gap >= 0)
      yield violation('no gap in seq', `chat ${id} has ${messages[gap]!.seq} where ${gap + 1} should be`, []);
    if (messages.length !== lastSeq) {
      yield violation('no gap in seq', `chat ${id} has ${messages.length} messages, and last_seq ${lastSeq}`, []);
    }
    const back = messages.findIndex(({ timestamp }, index) => index > 0 && timestamp < messages[index - 1]!.timestamp);
    if (back >= 0) yield violation('timestamps never go back', `chat ${id} runs backwards at ${back + 1}`, []);
  }
};

/** A message acked before another was sent has a lower seq. */
const sendOrder: Rule = function* (evidence) {
  for (const sends of groupBy(acked(evidence), ({ what }) => what.chat).values()) {
    const readings = sends.map(({ what, invoked, first }) => {
      return { key: what.key, begin: invoked, end: first.at, value: first.message.seq };
    });
    for (const { earlier, later } of decreases(readings)) {
      const what = `${later.key} was sent after ${earlier.key}, and has a lower seq`;
      yield violation('messages in send order', what, [
        ...evidence.about(earlier.key, 3),
        ...evidence.about(later.key, 3),
      ]);
    }
  }
};

/** Every stored message was sent by its sender with its text, or edited to it. */
const noPhantomRows: Rule = function* (evidence) {
  for (const row of evidence.final.messages) {
    const what = evidence.sends.get(row.key)?.what;
    if (what?.chat !== row.chat || what.user !== row.sender || !evidence.wasRequested(row)) {
      yield violation(
        'no phantom messages',
        `${row.chat}/${row.seq} with the key ${row.key} was never sent like that`,
        evidence.about(row.key),
      );
    }
  }
};

/** Read cursors never go back, and no read is lost. */
const readCursors: Rule = function* (evidence) {
  const { reads, syncs, final } = evidence;
  const cursors = [
    // A read or a sent message gives a lower bound of the cursor; a sync and the database give its value.
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
  for (const group of groupBy(cursors, ({ chat, user }) => `${chat} ${user}`).values()) {
    for (const { earlier, later } of decreases(group)) {
      const what = `user ${later.user} had read chat ${later.chat} up to ${earlier.value}, then up to ${later.value}`;
      yield violation('read cursors never go back', what, []);
    }
  }
};

export const logRules: readonly Rule[] = [
  durable,
  oneMessagePerKey,
  refusedNotStored,
  noGaps,
  sendOrder,
  noPhantomRows,
  readCursors,
];
