import type { Rule } from './checker.js';
import { deadline } from './delivery-rules.js';
import { type EditAttempts, type Evidence, groupBy } from './evidence.js';
import type { Seen } from './history.js';
import { isVersionOf, rowAt, isSame, violation } from './log-rules.js';

// The rules for edits and deletions.

const nameOf = ({ chat, seq, key, changeSeq }: Seen): string => `${chat}/${seq} (${key}), change ${changeSeq ?? 0}`;

/** An acked edit is durable: the database holds that version or a later one. */
const durable: Rule = function* (evidence) {
  for (const { what, oks } of evidence.edits.values()) {
    for (const { message } of oks) {
      if (isVersionOf(message, rowAt(evidence, message.chat, message.seq))) continue;
      yield violation(
        'acked messages are stored',
        `${nameOf(message)} was acked and is not stored`,
        evidence.about(what.key),
      );
    }
  }
};

/** Everybody sees the same content for a version of a message, and a user requested that version. */
const sameVersion: Rule = function* (evidence) {
  const acked = [...evidence.sends.values(), ...evidence.edits.values()].flatMap(({ oks }) => oks);
  const versions = [...acked, ...evidence.deliveries, ...evidence.editDeliveries].map(({ message }) => message);
  for (const [name, all] of groupBy([...versions, ...evidence.final.messages], nameOf)) {
    const [first] = all as [Seen];
    if (!all.every((one) => evidence.wasRequested(one))) {
      yield violation('no phantom messages', `nobody requested ${name}`, evidence.about(first.key));
    }
    const other = all.find((one) => !isSame(one, first));
    if (other) {
      const what = `${name} is ${JSON.stringify(first)} to one and ${JSON.stringify(other)} to another`;
      yield violation('same version for everybody', what, evidence.about(first.key));
    }
  }
};

/** A chat uses each change_seq for one change only. */
const oneChangePerNumber: Rule = function* ({ rows }) {
  for (const [chat, messages] of rows) {
    const changed = messages.filter(({ changeSeq }) => changeSeq !== null);
    for (const [changeSeq, same] of groupBy(changed, (message) => message.changeSeq)) {
      if (same.length > 1) yield violation('one change per change_seq', `chat ${chat} has ${changeSeq} twice`, []);
    }
  }
};

/** A user who is not in the chat changes nothing in it, and receives no change. */
const isolation: Rule = function* (evidence) {
  for (const { what, invoked, oks } of evidence.edits.values()) {
    if (oks[0] && evidence.isOut(what.chat, what.user, invoked, oks[0].at)) {
      const wrote = `user ${what.user} changed ${what.key} and was out of chat ${what.chat}`;
      yield violation('only members write', wrote, evidence.about(what.key));
    }
  }
  for (const { message, user, device, at } of evidence.editDeliveries) {
    const edit = evidence.editBehind(message);
    if (edit && evidence.isOut(message.chat, user, edit.invoked, at)) {
      const received = `${device} received ${nameOf(message)} and was out of the chat`;
      yield violation('only members receive', received, evidence.about(message.key));
    }
  }
};

/** The devices that must have received an edit by then. */
function* dueDevices(evidence: Evidence, edit: EditAttempts, since: number, by: number): Generator<string> {
  const { what, invoked } = edit;
  for (const [device, { user }] of evidence.devices) {
    if (evidence.isIn(what.chat, user, invoked, by) && evidence.isConnected(device, since, by)) yield device;
  }
}

/** Every connected device receives an edit in time, or a later one of the same message. */
const delivered: Rule = function* (evidence) {
  const placeOf = (device: string, { chat, seq }: Seen): string => `${device} ${chat} ${seq}`;
  const got = groupBy([...evidence.deliveries, ...evidence.editDeliveries], ({ device, message }) =>
    placeOf(device, message),
  );
  for (const edit of evidence.edits.values()) {
    const [ok] = edit.oks;
    if (!ok) continue;
    const { since, by, excused } = deadline(evidence, edit);
    if (by > evidence.end) continue;
    for (const device of dueDevices(evidence, edit, since, by)) {
      const isThere = got.get(placeOf(device, ok.message))?.some(({ at, live, message: { changeSeq } }) => {
        return at <= by && (excused || live !== undefined) && (changeSeq ?? 0) >= (ok.message.changeSeq ?? 0);
      });
      if (isThere) continue;
      const [rule, how] = excused
        ? ['delivered after a fault', 'did not get']
        : ['delivered within 6 s', 'did not receive'];
      yield violation(rule, `${device} ${how} ${nameOf(ok.message)} in time`, evidence.about(ok.message.key));
    }
  }
};

export const changeRules: readonly Rule[] = [durable, sameVersion, oneChangePerNumber, isolation, delivered];
