import type { Rule } from './checker.js';
import { type EditAttempts, type Delivery, type Evidence, groupBy, type SendAttempts } from './evidence.js';
import { isVersionOf, rowAt, isSame, violation } from './log-rules.js';

// The rules for what devices receive.

/** The log poller publishes within 5 s what was not published; one more second is for a busy machine. */
export const DELIVERY_MS = 6_000;
/** Full service is back 3 s after the end of a fault; two more seconds are for a busy machine. */
export const RECOVERY_MS = 5_000;

const nameOf = ({ message: { chat, seq, key } }: Delivery): string => `${chat}/${seq} (${key})`;

/** A device receives only messages that are stored exactly like that, or were before an edit. */
const noPhantoms: Rule = function* (evidence) {
  for (const delivery of [...evidence.deliveries, ...evidence.editDeliveries]) {
    const { message, device } = delivery;
    if (!isVersionOf(message, rowAt(evidence, message.chat, message.seq))) {
      yield violation(
        'no phantom messages',
        `${device} got ${nameOf(delivery)}, which is not stored like that`,
        evidence.about(message.key),
      );
    }
  }
};

/** On one connection the new messages of a chat arrive in seq order. Duplicates are ignored. */
const liveOrder: Rule = function* (evidence) {
  const streams = groupBy(
    evidence.deliveries.filter(({ live }) => live !== undefined),
    ({ device, live, message }) => `${device} ${live} ${message.chat}`,
  );
  for (const stream of streams.values()) {
    const received = new Set<number>();
    let last = 0;
    for (const delivery of stream) {
      const { seq } = delivery.message;
      if (received.has(seq)) continue;
      received.add(seq);
      if (seq < last) {
        yield violation(
          'events in order',
          `${delivery.device} received ${nameOf(delivery)} after ${last}`,
          evidence.about(delivery.message.key),
        );
      }
      last = Math.max(last, seq);
    }
  }
};

/** A removed user receives no later message, gets nothing by sync, and can't send. */
const isolation: Rule = function* (evidence) {
  for (const delivery of evidence.deliveries) {
    const { user, device, at, message } = delivery;
    const send = evidence.sends.get(message.key);
    if (send && evidence.isOut(message.chat, user, send.invoked, at)) {
      yield violation(
        'only members receive',
        `${device} got ${nameOf(delivery)} and was out of the chat`,
        evidence.about(message.key),
      );
    }
  }
  for (const { what, invoked, ended, outcome } of evidence.syncs) {
    const chat = outcome.chats.find(({ id }) => evidence.isOut(id, what.user, invoked, ended));
    if (chat)
      yield violation('only members receive', `${what.device} got chat ${chat.id} by a sync and was out of it`, []);
  }
  for (const { what, invoked, oks } of evidence.sends.values()) {
    if (oks[0] && evidence.isOut(what.chat, what.user, invoked, oks[0].at)) {
      yield violation(
        'only members write',
        `user ${what.user} wrote ${what.key} and was out of chat ${what.chat}`,
        evidence.about(what.key),
      );
    }
  }
};

/** Faults that excuse late delivery: all but those of Redis, as the log poller delivers without it. */
const EXCUSES_DELAY = /^(?!.*Redis)/;

/** By when a message must have reached everybody, and since when a device must be connected for that. */
export function deadline(
  { faults }: Evidence,
  { invoked, oks }: Pick<SendAttempts | EditAttempts, 'invoked' | 'oks'>,
): { since: number; by: number; excused: boolean } {
  let [since, by] = [invoked, oks[0]!.at + DELIVERY_MS];
  const excuses = faults.filter(({ kind }) => EXCUSES_DELAY.test(kind));
  for (const { begin, end } of excuses) {
    if (begin > by || end < since) continue;
    since = end;
    by = Math.max(by, end + DELIVERY_MS);
  }
  return { since, by, excused: since !== invoked };
}

/** A device that had to get a message, the deadline, and when it got it. `live`: by an event, not by sync. */
interface Due {
  readonly send: SendAttempts;
  readonly device: string;
  readonly live: boolean;
  readonly by: number;
  readonly got: number;
}

/** Every connected device gets every message by an event; after a fault also by its sync. */
function* allDue(evidence: Evidence): Generator<Due> {
  const got = new Map<string, { live: number; any: number }>();
  for (const { device, message, at, live } of evidence.deliveries) {
    const place = `${device} ${message.chat} ${message.seq}`;
    const known = got.get(place) ?? { live: Infinity, any: Infinity };
    got.set(place, { live: live === undefined ? known.live : Math.min(known.live, at), any: Math.min(known.any, at) });
  }
  for (const send of evidence.sends.values()) {
    const [ok] = send.oks;
    if (!ok) continue;
    const { chat } = send.what;
    const { since, by, excused } = deadline(evidence, send);
    if (by > evidence.end) continue;
    for (const [device, { user }] of evidence.devices) {
      if (!evidence.isIn(chat, user, send.invoked, by) || !evidence.isConnected(device, since, by)) continue;
      const when = got.get(`${device} ${chat} ${ok.message.seq}`);
      yield { send, device, by, live: !excused, got: (excused ? when?.any : when?.live) ?? Infinity };
    }
  }
}

const delivered: Rule = function* (evidence) {
  for (const { send, device, live, by, got } of allDue(evidence)) {
    if (got <= by) continue;
    const { key } = send.what;
    const [rule, how] = live ? ['delivered within 6 s', 'did not receive'] : ['delivered after a fault', 'did not get'];
    yield violation(rule, `${device} ${how} ${key} in time`, evidence.about(key));
  }
};

/** Milliseconds from an ack to the last device that had to receive the message live, ascending. */
export function latencies(evidence: Evidence): number[] {
  const due = groupBy(
    [...allDue(evidence)].filter(({ live }) => live),
    ({ send }) => send,
  );
  return [...due]
    .map(([{ oks }, devices]) => Math.max(0, Math.max(...devices.map(({ got }) => got)) - oks[0]!.at))
    .sort((one, other) => one - other);
}

/** At the end each device has exactly the messages that the database has. */
const completeAtTheEnd: Rule = function* (evidence) {
  const held = groupBy(evidence.holds, ({ device }) => device);
  for (const [device, { user }] of evidence.devices) {
    const own = new Map(held.get(device)?.map(({ chat, messages }) => [chat, messages]));
    for (const { chat } of evidence.final.members.filter((member) => member.user === user)) {
      const rows = evidence.rows.get(chat) ?? [];
      const messages = own.get(chat);
      own.delete(chat);
      const differs = rows.findIndex((row, index) => !messages?.[index] || !isSame(row, messages[index]));
      if (differs >= 0 || messages?.length !== rows.length) {
        const row = rows[differs];
        const what = `${device} ends with ${messages?.length ?? 'nothing'} of chat ${chat}'s ${rows.length}, other than stored from ${differs + 1} on`;
        yield violation('complete at the end', what, row ? evidence.about(row.key) : []);
      }
    }
    for (const chat of own.keys())
      yield violation('complete at the end', `${device} still holds chat ${chat}, and is out of it`, []);
  }
};

/** Every node serves again soon after the end of a fault. */
const recovery: Rule = function* ({ faults }) {
  for (const { kind, ended, end } of faults) {
    if (end - ended > RECOVERY_MS) {
      yield violation(
        'recovered within 5 s',
        `${Math.round(end - ended)} ms after "${kind}" not every node had taken a message`,
        [],
      );
    }
  }
};

export const deliveryRules: readonly Rule[] = [noPhantoms, liveOrder, isolation, delivered, completeAtTheEnd, recovery];
