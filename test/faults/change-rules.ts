import type { Rule } from './checker.js';
import { deadline } from './delivery-rules.js';
import { type Changing, type Evidence, groupBy } from './evidence.js';
import type { Seen } from './history.js';
import { isOf, rowAt, same, violation } from './log-rules.js';

// What must be true of edits and deletions.

const nameOf = ({ chat, seq, key, changeSeq }: Seen): string => `${chat}/${seq} (${key}), change ${changeSeq ?? 0}`;

/** An ack of a change is for ever: what is stored is that version, or a later one. */
const durable: Rule = function* (evidence) {
  for (const { what, oks } of evidence.changings.values()) {
    for (const { message } of oks) {
      if (isOf(message, rowAt(evidence, message.chat, message.seq))) continue;
      yield violation('acked is stored', `${nameOf(message)} was acked and is not there`, evidence.about(what.key));
    }
  }
};

/** Whoever has seen a version of a message has seen the same, and it was asked for. */
const oneVersion: Rule = function* (evidence) {
  const acked = [...evidence.sendings.values(), ...evidence.changings.values()].flatMap(({ oks }) => oks);
  const versions = [...acked, ...evidence.deliveries, ...evidence.tidings].map(({ message }) => message);
  for (const [name, all] of groupBy([...versions, ...evidence.final.messages], nameOf)) {
    const [first] = all as [Seen];
    if (!all.every((one) => evidence.isAsked(one))) {
      yield violation('nothing phantom', `nobody asked for ${name}`, evidence.about(first.key));
    }
    const other = all.find((one) => !same(one, first));
    if (other) {
      const what = `${name} is ${JSON.stringify(first)} to one and ${JSON.stringify(other)} to another`;
      yield violation('one version for all', what, evidence.about(first.key));
    }
  }
};

/** A chat gives each number to one change only. */
const numbered: Rule = function* ({ rows }) {
  for (const [chat, messages] of rows) {
    const changed = messages.filter(({ changeSeq }) => changeSeq !== null);
    for (const [changeSeq, same] of groupBy(changed, (message) => message.changeSeq)) {
      if (same.length > 1) yield violation('one change for a number', `chat ${chat} has ${changeSeq} twice`, []);
    }
  }
};

/** Who is out of the chat changes nothing in it, and hears of no change. */
const isolation: Rule = function* (evidence) {
  for (const { what, invoked, oks } of evidence.changings.values()) {
    if (oks[0] && evidence.isOut(what.chat, what.user, invoked, oks[0].at)) {
      const wrote = `user ${what.user} changed ${what.key} and was out of chat ${what.chat}`;
      yield violation('only members write', wrote, evidence.about(what.key));
    }
  }
  for (const { message, user, device, at } of evidence.tidings) {
    const changing = evidence.madeBy(message);
    if (changing && evidence.isOut(message.chat, user, changing.invoked, at)) {
      const heard = `${device} heard of ${nameOf(message)} and was out by then`;
      yield violation('only members hear', heard, evidence.about(message.key));
    }
  }
};

/** A device that has to have heard of a change by then. */
function* dueDevices(evidence: Evidence, changing: Changing, since: number, by: number): Generator<string> {
  const { what, invoked } = changing;
  for (const [device, { user }] of evidence.devices) {
    if (evidence.isIn(what.chat, user, invoked, by) && evidence.isConnected(device, since, by)) yield device;
  }
}

/** Every device that is there hears of a change in time, or of a later one of the same message. */
const recency: Rule = function* (evidence) {
  const placeOf = (device: string, { chat, seq }: Seen): string => `${device} ${chat} ${seq}`;
  const got = groupBy([...evidence.deliveries, ...evidence.tidings], ({ device, message }) => placeOf(device, message));
  for (const changing of evidence.changings.values()) {
    const [ok] = changing.oks;
    if (!ok) continue;
    const { since, by, excused } = deadline(evidence, changing);
    if (by > evidence.end) continue;
    for (const device of dueDevices(evidence, changing, since, by)) {
      const isThere = got.get(placeOf(device, ok.message))?.some(({ at, live, message: { changeSeq } }) => {
        return at <= by && (excused || live !== undefined) && (changeSeq ?? 0) >= (ok.message.changeSeq ?? 0);
      });
      if (isThere) continue;
      const [rule, how] = excused ? ['there after a fault', 'did not get'] : ['live within 6 s', 'did not hear of'];
      yield violation(rule, `${device} ${how} ${nameOf(ok.message)} in time`, evidence.about(ok.message.key));
    }
  }
};

export const changeRules: readonly Rule[] = [durable, oneVersion, numbered, isolation, recency];
