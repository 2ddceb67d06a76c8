import type { Rule } from './checker.js';
import { type Changing, type Delivery, type Evidence, groupBy, type Sending } from './evidence.js';
import { isOf, rowAt, same, violation } from './log-rules.js';

// What must be true of what devices got.

/** The tail finds within 5 s what nobody was told of; one more is for this machine. */
export const LIVE_MS = 6_000;
/** Three seconds from the return of what was away to full service; two more are for this machine. */
export const RECOVERY_MS = 5_000;

const nameOf = ({ message: { chat, seq, key } }: Delivery): string => `${chat}/${seq} (${key})`;

/** What a device gets is what is stored, to the letter, or was before it was changed. */
const nothingPhantom: Rule = function* (evidence) {
  for (const delivery of [...evidence.deliveries, ...evidence.tidings]) {
    const { message, device } = delivery;
    if (!isOf(message, rowAt(evidence, message.chat, message.seq))) {
      yield violation(
        'nothing phantom',
        `${device} got ${nameOf(delivery)}, which is not stored like that`,
        evidence.about(message.key),
      );
    }
  }
};

/** On one connection the new messages of a chat come in their order; what comes again is dropped first. */
const liveOrder: Rule = function* (evidence) {
  const streams = groupBy(
    evidence.deliveries.filter(({ live }) => live !== undefined),
    ({ device, live, message }) => `${device} ${live} ${message.chat}`,
  );
  for (const stream of streams.values()) {
    const heard = new Set<number>();
    let last = 0;
    for (const delivery of stream) {
      const { seq } = delivery.message;
      if (heard.has(seq)) continue;
      heard.add(seq);
      if (seq < last) {
        yield violation(
          'events in order',
          `${delivery.device} heard ${nameOf(delivery)} after ${last}`,
          evidence.about(delivery.message.key),
        );
      }
      last = Math.max(last, seq);
    }
  }
};

/** Who was taken out gets nothing that was sent later, is told nothing, and is not heard. */
const isolation: Rule = function* (evidence) {
  for (const delivery of evidence.deliveries) {
    const { user, device, at, message } = delivery;
    const sending = evidence.sendings.get(message.key);
    if (sending && evidence.isOut(message.chat, user, sending.invoked, at)) {
      yield violation(
        'only members hear',
        `${device} got ${nameOf(delivery)} and was out by then`,
        evidence.about(message.key),
      );
    }
  }
  for (const { what, invoked, ended, outcome } of evidence.syncs) {
    const chat = outcome.chats.find(({ id }) => evidence.isOut(id, what.user, invoked, ended));
    if (chat)
      yield violation(
        'only members hear',
        `${what.device} was told of chat ${chat.id} by a sync and was out of it`,
        [],
      );
  }
  for (const { what, invoked, oks } of evidence.sendings.values()) {
    if (oks[0] && evidence.isOut(what.chat, what.user, invoked, oks[0].at)) {
      yield violation(
        'only members write',
        `user ${what.user} wrote ${what.key} and was out of chat ${what.chat}`,
        evidence.about(what.key),
      );
    }
  }
};

/** Redis makes delivery quick; without it there is the tail, so its absence excuses nothing. */
const EXCUSES_DELAY = /^(?!.*Redis)/;

/** By when a message must have come to everybody, and since when they have to be connected for that. */
export function deadline(
  { faults }: Evidence,
  { invoked, oks }: Pick<Sending | Changing, 'invoked' | 'oks'>,
): { since: number; by: number; excused: boolean } {
  let [since, by] = [invoked, oks[0]!.at + LIVE_MS];
  const excuses = faults.filter(({ kind }) => EXCUSES_DELAY.test(kind));
  for (const { begin, end } of excuses) {
    if (begin > by || end < since) continue;
    since = end;
    by = Math.max(by, end + LIVE_MS);
  }
  return { since, by, excused: since !== invoked };
}

/** A device that had to get a message, by when, and when it did; `live`: by an event, without asking. */
interface Due {
  readonly sending: Sending;
  readonly device: string;
  readonly live: boolean;
  readonly by: number;
  readonly got: number;
}

/** Each device that is connected hears of each message by itself; after a fault, it may also have learnt of it by its sync. */
function* allDue(evidence: Evidence): Generator<Due> {
  const got = new Map<string, { live: number; any: number }>();
  for (const { device, message, at, live } of evidence.deliveries) {
    const place = `${device} ${message.chat} ${message.seq}`;
    const known = got.get(place) ?? { live: Infinity, any: Infinity };
    got.set(place, { live: live === undefined ? known.live : Math.min(known.live, at), any: Math.min(known.any, at) });
  }
  for (const sending of evidence.sendings.values()) {
    const [ok] = sending.oks;
    if (!ok) continue;
    const { chat } = sending.what;
    const { since, by, excused } = deadline(evidence, sending);
    if (by > evidence.end) continue;
    for (const [device, { user }] of evidence.devices) {
      if (!evidence.isIn(chat, user, sending.invoked, by) || !evidence.isConnected(device, since, by)) continue;
      const when = got.get(`${device} ${chat} ${ok.message.seq}`);
      yield { sending, device, by, live: !excused, got: (excused ? when?.any : when?.live) ?? Infinity };
    }
  }
}

const recency: Rule = function* (evidence) {
  for (const { sending, device, live, by, got } of allDue(evidence)) {
    if (got <= by) continue;
    const { key } = sending.what;
    const [rule, how] = live ? ['live within 6 s', 'did not hear of'] : ['there after a fault', 'did not get'];
    yield violation(rule, `${device} ${how} ${key} in time`, evidence.about(key));
  }
};

/** From an ack to the last of the devices that had to hear of it live, in milliseconds, ascending. */
export function latencies(evidence: Evidence): number[] {
  const due = groupBy(
    [...allDue(evidence)].filter(({ live }) => live),
    ({ sending }) => sending,
  );
  return [...due]
    .map(([{ oks }, devices]) => Math.max(0, Math.max(...devices.map(({ got }) => got)) - oks[0]!.at))
    .sort((one, other) => one - other);
}

/** In the end each device holds what the database holds, message for message. */
const complete: Rule = function* (evidence) {
  const held = groupBy(evidence.holds, ({ device }) => device);
  for (const [device, { user }] of evidence.devices) {
    const own = new Map(held.get(device)?.map(({ chat, messages }) => [chat, messages]));
    for (const { chat } of evidence.final.members.filter((member) => member.user === user)) {
      const rows = evidence.rows.get(chat) ?? [];
      const messages = own.get(chat);
      own.delete(chat);
      const differs = rows.findIndex((row, index) => !messages?.[index] || !same(row, messages[index]));
      if (differs >= 0 || messages?.length !== rows.length) {
        const row = rows[differs];
        const what = `${device} ends with ${messages?.length ?? 'nothing'} of chat ${chat}'s ${rows.length}, other than stored from ${differs + 1} on`;
        yield violation('all in the end', what, row ? evidence.about(row.key) : []);
      }
    }
    for (const chat of own.keys())
      yield violation('all in the end', `${device} still holds chat ${chat}, and is out of it`, []);
  }
};

/** What was away and is back serves again. */
const recovery: Rule = function* ({ faults }) {
  for (const { kind, ended, end } of faults) {
    if (end - ended > RECOVERY_MS) {
      yield violation(
        'back within 3 s',
        `${Math.round(end - ended)} ms after "${kind}" not every node had taken a message`,
        [],
      );
    }
  }
};

export const deliveryRules: readonly Rule[] = [nothingPhantom, liveOrder, isolation, recency, complete, recovery];
