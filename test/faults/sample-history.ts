import type { ClientState, Entry, FinalState, Seen } from './history.js';

// A short history that keeps every rule, for the checker's spec to break.

export const CHAT = 7;
export const [ANN, BEN] = [1, 2];

export type SampleHistory = { entries: Entry[]; messages: Seen[]; final: FinalState };

export const message = (seq: number): Seen => ({
  id: 100 + seq,
  chat: CHAT,
  seq,
  sender: ANN,
  key: `k${seq}`,
  text: `text ${seq}`,
  timestamp: `2026-01-01T00:00:0${seq}.000Z`,
  changeSeq: null,
  deleted: false,
});
export const editedMessage = (seq: number, changeSeq: number): Seen => ({
  ...message(seq),
  text: `edit of k${seq}`,
  changeSeq,
});
export const deletedMessage = (seq: number, changeSeq: number): Seen => ({
  ...message(seq),
  text: null,
  changeSeq,
  deleted: true,
});

export const received = (at: number, device: string, user: number, what: Seen, name = 'message:created'): Entry => ({
  at,
  type: 'event',
  device,
  user,
  connection: 1,
  name,
  chat: CHAT,
  message: what,
});

/** The entries of one fault, the only one of a history. */
export const fault = (kind: string, begin: number, end: number, recovered: number): Entry[] =>
  [[begin, 'begin'] as const, [end, 'end'] as const, [recovered, 'recovered'] as const].map(([at, phase]) => ({
    at,
    type: 'fault',
    kind,
    phase,
    fault: 0,
  }));

/** An edit or a deletion, acked after 10 ms. */
export function edit(at: number, op: number, user: number, version: Seen, listeners: [string, number][]): Entry[] {
  const { key, text, deleted } = version;
  const by = { user, chat: CHAT, key };
  const what = deleted ? ({ kind: 'delete', ...by } as const) : ({ kind: 'edit', ...by, text: text! } as const);
  const name = deleted ? 'message:deleted' : 'message:updated';
  return [
    { at, type: 'invoke', op, process: 'a', what },
    ...listeners.map(([device, listener]) => received(at + 5, device, listener, version, name)),
    { at: at + 10, type: 'ok', op, outcome: { kind: what.kind, message: version } },
  ];
}

/** What Ann's client has at the end. */
export const clientState = (): ClientState => ({
  device: 'a',
  user: ANN,
  chats: [{ chat: CHAT, lastRead: 5, members: [ANN, BEN] }],
  outbox: [],
});

/**
 * Ann sends k1 … k5, edits k3 and deletes k2. Ben receives everything but k4, which is sent while he is out of the group.
 * At the end both have all messages. Ann's device has the client.
 */
export function sampleHistory(): SampleHistory {
  const messages = [message(1), deletedMessage(2, 2), editedMessage(3, 1), message(4), message(5)];
  const entries: Entry[] = [
    { at: 0, type: 'chat created', chat: CHAT, users: [ANN, BEN] },
    { at: 1, type: 'up', device: 'a', user: ANN, connection: 1 },
    { at: 1, type: 'up', device: 'b', user: BEN, connection: 1 },
  ];
  const sends = (at: number, seq: number, listeners: [string, number][]): void => {
    const { key, text } = message(seq);
    const what = { kind: 'send', user: ANN, chat: CHAT, key, text: text! } as const;
    entries.push({ at, type: 'invoke', op: seq, process: 'a', what });
    for (const [device, user] of listeners) entries.push(received(at + 5, device, user, message(seq)));
    const outcome = { kind: 'send', message: message(seq), replayed: false } as const;
    entries.push({ at: at + 10, type: 'ok', op: seq, outcome });
  };
  const changeMember = (at: number, op: number, kind: 'add' | 'remove'): void => {
    entries.push({ at, type: 'invoke', op, process: 'owner', what: { kind, chat: CHAT, user: BEN } });
    entries.push({ at: at + 10, type: 'ok', op, outcome: { kind } });
  };
  const both: [string, number][] = [
    ['a', ANN],
    ['b', BEN],
  ];
  sends(100, 1, both);
  sends(200, 2, both);
  sends(300, 3, both);
  const reads = { kind: 'read', user: BEN, chat: CHAT, seq: 3 } as const;
  entries.push({ at: 500, type: 'invoke', op: 10, process: 'b', what: reads });
  entries.push({ at: 510, type: 'ok', op: 10, outcome: { kind: 'read', seq: 3 } });
  const syncs = { kind: 'sync', user: BEN, device: 'b' } as const;
  const outcome = { kind: 'sync', chats: [{ id: CHAT, lastRead: 3, messages: [message(3)] }], removed: [] } as const;
  entries.push({ at: 600, type: 'invoke', op: 11, process: 'b', what: syncs });
  entries.push({ at: 610, type: 'ok', op: 11, outcome });
  entries.push(...edit(700, 12, ANN, editedMessage(3, 1), both), ...edit(800, 13, ANN, deletedMessage(2, 2), both));
  changeMember(10_000, 20, 'remove');
  sends(10_100, 4, [['a', ANN]]);
  changeMember(20_000, 21, 'add');
  sends(20_100, 5, both);
  for (const [device, user] of both) entries.push({ at: 40_000, type: 'holds', device, user, chat: CHAT, messages });
  entries.push({ at: 20_099, type: 'accepted', device: 'a', user: ANN, chat: CHAT, key: 'k5' });
  entries.push({ at: 40_001, type: 'client state', ...clientState() });
  const members = [ANN, BEN].map((user) => ({ chat: CHAT, user, lastRead: 5 }));
  return { entries, messages, final: { chats: [{ id: CHAT, lastSeq: 5 }], messages: [...messages], members } };
}
