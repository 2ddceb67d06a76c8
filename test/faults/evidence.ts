import type { Entry, Final, Operation, Outcome, Seen } from './history.js';

/** All tries of one message: they have its key in common. */
export interface Sending {
  readonly what: Extract<Operation, { kind: 'send' }>;
  readonly process: string;
  /** When it was first tried. */
  readonly invoked: number;
  readonly oks: { readonly at: number; readonly message: Seen; readonly replayed: boolean }[];
  fails: number;
  unknowns: number;
}

/** All tries of one edit, or of one deletion: of an edit they have its text in common. */
export interface Changing {
  readonly what: Extract<Operation, { kind: 'edit' | 'delete' }>;
  /** When it was first tried. */
  readonly invoked: number;
  readonly oks: { readonly at: number; readonly message: Seen }[];
}

/** An operation that was answered. */
export interface Done<Kind extends Operation['kind']> {
  readonly what: Extract<Operation, { kind: Kind }>;
  readonly process: string;
  readonly invoked: number;
  readonly ended: number;
  readonly outcome: Extract<Outcome, { kind: Kind }>;
}

/** A change of who is in a group; `invoked` is the first try. */
interface Change {
  readonly kind: 'add' | 'remove';
  readonly invoked: number;
  ended: number;
}

interface Span {
  readonly begin: number;
  end: number;
}

/** A message that came to a device, by an event or in the answer of a sync; or what has become of it. */
export interface Delivery {
  readonly at: number;
  readonly device: string;
  readonly user: number;
  readonly message: Seen;
  /** Of an event: the connection. */
  readonly live: number | undefined;
}

/** What an edit or a deletion is known by: the text it leaves, which no other has, or the key of what is gone. */
const changeId = ({ key, text }: { readonly key: string; readonly text?: string | null }): string =>
  typeof text === 'string' ? `edit ${text}` : `delete ${key}`;

/** The items by a key of theirs, each list in their order. */
export function groupBy<K, T>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** A number that somebody got between two moments. */
export interface Reading {
  readonly begin: number;
  readonly end: number;
  readonly value: number;
}

/** Pairs in which the later one was begun when the earlier one was over, and has the lower number all the same. */
export function* setbacks<T extends Reading>(readings: readonly T[]): Generator<{ earlier: T; later: T }> {
  const ends = [...readings].sort((one, other) => one.end - other.end);
  let over = 0;
  let highest: T | undefined;
  for (const later of [...readings].sort((one, other) => one.begin - other.begin)) {
    for (; over < ends.length && ends[over]!.end < later.begin; over += 1) {
      if (!highest || ends[over]!.value > highest.value) highest = ends[over];
    }
    if (highest && highest.value > later.value) yield { earlier: highest, later };
  }
}

/** A history, looked up from the sides that the rules need. */
export class Evidence {
  readonly sendings = new Map<string, Sending>();
  /** By `changeId`. */
  readonly changings = new Map<string, Changing>();
  readonly reads: Done<'read'>[] = [];
  readonly syncs: Done<'sync'>[] = [];
  readonly deliveries: Delivery[] = [];
  /** By events that tell of edits and deletions. */
  readonly tidings: Delivery[] = [];
  readonly holds: Extract<Entry, { type: 'holds' }>[] = [];
  readonly devices = new Map<string, { readonly user: number; readonly spans: Span[] }>();
  readonly faults: (Span & { readonly kind: string; ended: number })[] = [];
  /** When the last deed of the load was over. */
  readonly end: number;
  readonly rows: ReadonlyMap<number, readonly Seen[]>;
  private readonly byKey: ReadonlyMap<string | undefined, Entry[]>;
  private readonly founders = new Set<string>();
  private readonly changes = new Map<string, Change[]>();

  constructor(
    readonly entries: readonly Entry[],
    readonly final: Final,
  ) {
    this.end = entries.find(({ type }) => type === 'holds')?.at ?? entries.at(-1)?.at ?? 0;
    this.rows = groupBy(final.messages, ({ chat }) => chat);
    const open = new Map<number, Extract<Entry, { type: 'invoke' }>>();
    for (const entry of entries) this.take(entry, open);
    const keyOf = (entry: Entry): string | undefined => {
      if (entry.type === 'event') return entry.message?.key;
      const what = 'op' in entry ? open.get(entry.op)!.what : undefined;
      return what && 'key' in what ? what.key : undefined;
    };
    this.byKey = groupBy(entries, keyOf);
  }

  /** What the history says of a key, at the most so many entries. */
  about(key: string, limit = 12): readonly Entry[] {
    return this.byKey.get(key)?.slice(0, limit) ?? [];
  }

  /** The edit or the deletion that has made this version of a message, if there is one. */
  madeBy(version: Seen): Changing | undefined {
    const changing = this.changings.get(changeId(version));
    return changing?.what.key === version.key ? changing : undefined;
  }

  /** Whether somebody has asked for the message to be like that. */
  isAsked(message: Seen): boolean {
    if (message.changeSeq !== null) return this.madeBy(message) !== undefined;
    return this.sendings.get(message.key)?.what.text === message.text;
  }

  /** Whether the user was in the chat all that time, by every reading of the history. */
  isIn(chat: number, user: number, from: number, to: number): boolean {
    const place = `${chat} ${user}`;
    let isIn = this.founders.has(place);
    for (const { kind, invoked, ended } of this.changes.get(place) ?? []) {
      if (kind === 'remove' && invoked <= to) isIn = false;
      if (kind === 'add' && ended <= from) isIn = true;
    }
    return isIn;
  }

  /** Whether the user was out of the chat all that time, by every reading of the history. */
  isOut(chat: number, user: number, from: number, to: number): boolean {
    const place = `${chat} ${user}`;
    let isOut = !this.founders.has(place);
    for (const { kind, invoked, ended } of this.changes.get(place) ?? []) {
      if (kind === 'add' && invoked <= to) isOut = false;
      if (kind === 'remove' && ended <= from) isOut = true;
    }
    return isOut;
  }

  /** Whether one connection of the device lasted all that time. */
  isConnected(device: string, from: number, to: number): boolean {
    return this.devices.get(device)!.spans.some(({ begin, end }) => begin <= from && end >= to);
  }

  private take(entry: Entry, open: Map<number, Extract<Entry, { type: 'invoke' }>>): void {
    switch (entry.type) {
      case 'founded':
        for (const user of entry.users) this.founders.add(`${entry.chat} ${user}`);
        return;
      case 'invoke':
        open.set(entry.op, entry);
        this.begin(entry);
        return;
      case 'ok':
        this.succeed(open.get(entry.op)!, entry);
        return;
      case 'fail':
      case 'unknown': {
        const { what } = open.get(entry.op)!;
        if (what.kind === 'send') this.sendings.get(what.key)![entry.type === 'fail' ? 'fails' : 'unknowns'] += 1;
        return;
      }
      case 'event':
        this.hear(entry);
        return;
      case 'up': {
        const known = this.devices.get(entry.device) ?? { user: entry.user, spans: [] };
        this.devices.set(entry.device, known);
        known.spans.push({ begin: entry.at, end: Infinity });
        return;
      }
      case 'down': {
        const last = this.devices.get(entry.device)?.spans.at(-1);
        if (last?.end === Infinity) last.end = entry.at;
        return;
      }
      case 'holds':
        this.holds.push(entry);
        return;
      case 'fault':
        if (entry.phase === 'begin') {
          this.faults.push({ kind: entry.kind, begin: entry.at, ended: Infinity, end: Infinity });
        } else {
          this.faults[entry.fault]![entry.phase === 'end' ? 'ended' : 'end'] = entry.at;
        }
    }
  }

  private hear(event: Extract<Entry, { type: 'event' }>): void {
    const { name, message, connection: live } = event;
    if (message) (name === 'message:created' ? this.deliveries : this.tidings).push({ ...event, message, live });
  }

  private begin({ what, process, at }: Extract<Entry, { type: 'invoke' }>): void {
    if (what.kind === 'send' && !this.sendings.has(what.key)) {
      this.sendings.set(what.key, { what, process, invoked: at, oks: [], fails: 0, unknowns: 0 });
    }
    if ((what.kind === 'edit' || what.kind === 'delete') && !this.changings.has(changeId(what))) {
      this.changings.set(changeId(what), { what, invoked: at, oks: [] });
    }
    if (what.kind !== 'add' && what.kind !== 'remove') return;
    const place = `${what.chat} ${what.user}`;
    const changes = this.changes.get(place) ?? [];
    this.changes.set(place, changes);
    // Changes of one place come one after the other, so the same kind again is a retry.
    if (changes.at(-1)?.kind !== what.kind) changes.push({ kind: what.kind, invoked: at, ended: Infinity });
  }

  private succeed(
    { what, process, at: invoked }: Extract<Entry, { type: 'invoke' }>,
    { outcome, at: ended }: Extract<Entry, { type: 'ok' }>,
  ): void {
    if (what.kind === 'send' && outcome.kind === 'send')
      this.sendings.get(what.key)!.oks.push({ ...outcome, at: ended });
    if ((what.kind === 'edit' || what.kind === 'delete') && 'message' in outcome)
      this.changings.get(changeId(what))!.oks.push({ ...outcome, at: ended });
    if (what.kind === 'read' && outcome.kind === 'read') this.reads.push({ what, process, invoked, ended, outcome });
    if (what.kind === 'add' || what.kind === 'remove')
      this.changes.get(`${what.chat} ${what.user}`)!.at(-1)!.ended = ended;
    if (what.kind !== 'sync' || outcome.kind !== 'sync') return;
    this.syncs.push({ what, process, invoked, ended, outcome });
    for (const message of outcome.chats.flatMap(({ messages }) => messages)) {
      this.deliveries.push({ at: ended, device: what.device, user: what.user, message, live: undefined });
    }
  }
}
