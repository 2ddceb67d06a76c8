import type { Rule } from './checker.js';
import { groupBy } from './evidence.js';
import { violation } from './log-rules.js';

// The rules for devices with the client of clients/typescript, which hold what it says of itself against the database.

/** What the client has accepted is stored once, or has failed with a code. Nothing else is left in its outbox. */
const accepted: Rule = function* (evidence) {
  const rows = groupBy(evidence.final.messages, ({ key }) => key);
  const states = new Map(evidence.clientStates.map((state) => [state.device, state]));
  for (const { device, key, chat } of evidence.accepted) {
    const times = rows.get(key)?.length ?? 0;
    const hasFailed = states
      .get(device)
      ?.outbox.some((entry) => entry.kind === 'send' && entry.key === key && entry.error !== null);
    if (times === 1 || (times === 0 && hasFailed)) continue;
    const what = `${device} accepted ${key} for chat ${chat}, which is stored ${times} times`;
    yield violation('accepted messages are stored once', what, evidence.about(key));
  }
  for (const { device, outbox } of evidence.clientStates) {
    for (const { kind, key } of outbox.filter(({ error }) => error === null)) {
      yield violation(
        'outboxes are empty at the end',
        `${device} still has the ${kind} of ${key}`,
        evidence.about(key),
      );
    }
  }
};

/** At the end the client has the read positions and members that the database has. */
const sameState: Rule = function* ({ clientStates, final }) {
  const members = groupBy(final.members, ({ chat }) => chat);
  for (const { device, user, chats } of clientStates) {
    for (const { chat, lastRead, members: held } of chats) {
      const rows = members.get(chat) ?? [];
      const row = rows.find((one) => one.user === user);
      if (row && row.lastRead !== lastRead) {
        const what = `${device} has read chat ${chat} up to ${lastRead}, by the database up to ${row.lastRead}`;
        yield violation('clients end as the server', what, []);
      }
      const [own, stored] = [held ?? [], rows.map((one) => one.user)].map((ids) =>
        [...ids].sort((a, b) => a - b).join(),
      );
      if (held && own !== stored) {
        const what = `${device} has ${own} as the members of chat ${chat}, the database ${stored}`;
        yield violation('clients end as the server', what, []);
      }
    }
  }
};

export const clientRules: readonly Rule[] = [accepted, sameState];
