import type { ClientState, Entry, FinalState, Operation, Outcome, Seen } from './history.js';

/** All attempts to send one message, with the same key. */
export interface SendAttempts {
  readonly what: Extract<Operation, { kind: 'send' }>;
  readonly process: string;
  /** The time of the first attempt. */
  readonly invoked: number;
  readonly oks: { readonly at: number; readonly message: Seen; readonly replayed: boolean }[];
  fails: number;
  unknowns: number;
}

/** All attempts of one edit (with the same text) or of one deletion. */
export interface EditAttempts {
  readonly what: Extract<Operation, { kind: 'edit' | 'delete' }>;
  /** The time of the first attempt. */
  readonly invoked: number;
  readonly oks: { readonly at: number; readonly message: Seen }[];
}

/** An operation with its answer. */
export interface Completed<Kind extends Operation['kind']> {
  readonly what: Extract<Operation, { kind: Kind }>;
  readonly process: string;
  readonly invoked: number;
  readonly ended: number;
  readonly outcome: Extract<Outcome, { kind: Kind }>;
}

/** A member was added or removed. `invoked` is the time of the first attempt. */
interface MembershipChange {
  readonly kind: 'add' | 'remove';
  readonly invoked: number;
  ended: number;
}

interface Span {
  readonly begin: number;
  end: number;
}

/** A message, or a later version of it, that reached a device by an event or by sync. */
export interface Delivery {
  readonly at: number;
  readonly device: string;
  readonly user: number;
  readonly message: Seen;
  /** The connection of the event; undefined for a sync. */
  readonly live: number | undefined;
}

/** The identity of an edit (its text, which is unique) or of a deletion (the key of the message). */
const editId = ({ key, text }: { readonly key: string; readonly text?: string | null }): string =>
  typeof text === 'string' ? `edit ${text}` : `delete ${key}`;

/** Groups items by a key, and keeps their order. */
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

/** A number that somebody observed between two moments. */
export interface Observation {
  readonly begin: number;
  readonly end: number;
  readonly value: number;
}

/** Pairs in which the later observation began after the earlier one ended, and yet has a lower number. */
export function* decreases<T extends Observation>(readings: readonly T[]): Generator<{ earlier: T; later: T }> {
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

/** A history with the indexes that the rules need. */
export class Evidence {
  readonly sends = new Map<string, SendAttempts>();
  /** By `editId`. */
  readonly edits = new Map<string, EditAttempts>();
  readonly reads: Completed<'read'>[] = [];
  readonly syncs: Completed<'sync'>[] = [];
  readonly deliveries: Delivery[] = [];
  /** Deliveries of edits and deletions by events. */
  readonly editDeliveries: Delivery[] = [];
  readonly holds: Extract<Entry, { type: 'holds' }>[] = [];
  readonly accepted: Extract<Entry, { type: 'accepted' }>[] = [];
  readonly clientStates: ClientState[] = [];
  readonly devices = new Map<string, { readonly user: number; readonly spans: Span[] }>();
  readonly faults: (Span & { readonly kind: string; ended: number })[] = [];
  /** When the load had ended. */
  readonly end: number;
  readonly rows: ReadonlyMap<number, readonly Seen[]>;
  private readonly byKey: ReadonlyMap<string | undefined, Entry[]>;
  private readonly initialMembers = new Set<string>();
  private readonly membershipChanges = new Map<string, MembershipChange[]>();

  constructor(
    readonly entries: readonly Entry[],
    readonly final: FinalState,
  ) {
    this.end = entries.find(({ type }) => type === 'holds')?.at ?? entries.at(-1)?.at ?? 0;
    this.rows = groupBy(final.messages, ({ chat }) => chat);
    const open = new Map<number, Extract<Entry, { type: 'invoke' }>>();
    for (const entry of entries) this.addEntry(entry, open);
    const keyOf = (entry: Entry): string | undefined => {
      if (entry.type === 'event') return entry.message?.key;
      const what = 'op' in entry ? open.get(entry.op)!.what : undefined;
      return what && 'key' in what ? what.key : undefined;
    };
    this.byKey = groupBy(entries, keyOf);
  }

  /** The entries of the history about a key, at most `limit`. */
  about(key: string, limit = 12): readonly Entry[] {
    return this.byKey.get(key)?.slice(0, limit) ?? [];
  }

  /** The edit or deletion that made this version of a message, if any. */
  editBehind(version: Seen): EditAttempts | undefined {
    const edit = this.edits.get(editId(version));
    return edit?.what.key === version.key ? edit : undefined;
  }

  /** Whether a user requested this content of the message. */
  wasRequested(message: Seen): boolean {
    if (message.changeSeq !== null) return this.editBehind(message) !== undefined;
    return this.sends.get(message.key)?.what.text === message.text;
  }

  /** Whether the user was certainly in the chat all that time. */
  isIn(chat: number, user: number, from: number, to: number): boolean {
    const place = `${chat} ${user}`;
    let isIn = this.initialMembers.has(place);
    for (const { kind, invoked, ended } of this.membershipChanges.get(place) ?? []) {
      if (kind === 'remove' && invoked <= to) isIn = false;
      if (kind === 'add' && ended <= from) isIn = true;
    }
    return isIn;
  }

  /** Whether the user was certainly not in the chat all that time. */
  isOut(chat: number, user: number, from: number, to: number): boolean {
    const place = `${chat} ${user}`;
    let isOut = !this.initialMembers.has(place);
    for (const { kind, invoked, ended } of this.membershipChanges.get(place) ?? []) {
      if (kind === 'add' && invoked <= to) isOut = false;
      if (kind === 'remove' && ended <= from) isOut = true;
    }
    return isOut;
  }

  /** Whether the device had one connection all that time. */
  isConnected(device: string, from: number, to: number): boolean {
    return this.devices.get(device)!.spans.some(({ begin, end }) => begin <= from && end >= to);
  }

  private addEntry(entry: Entry, open: Map<number, Extract<Entry, { type: 'invoke' }>>): void {
    switch (entry.type) {
      case 'chat created':
        for (const user of entry.users) this.initialMembers.add(`${entry.chat} ${user}`);
        return;
      case 'invoke':
        open.set(entry.op, entry);
        this.addInvocation(entry);
        return;
      case 'ok':
        this.addCompletion(open.get(entry.op)!, entry);
        return;
      case 'fail':
      case 'unknown': {
        const { what } = open.get(entry.op)!;
        if (what.kind === 'send') this.sends.get(what.key)![entry.type === 'fail' ? 'fails' : 'unknowns'] += 1;
        return;
      }
      case 'event':
        this.addEvent(entry);
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
      case 'accepted':
        this.accepted.push(entry);
        return;
      case 'client state':
        this.clientStates.push(entry);
        return;
      case 'fault':
        if (entry.phase === 'begin') {
          this.faults.push({ kind: entry.kind, begin: entry.at, ended: Infinity, end: Infinity });
        } else {
          this.faults[entry.fault]![entry.phase === 'end' ? 'ended' : 'end'] = entry.at;
        }
    }
  }

  private addEvent(event: Extract<Entry, { type: 'event' }>): void {
    const { name, message, connection: live } = event;
    if (message) (name === 'message:created' ? this.deliveries : this.editDeliveries).push({ ...event, message, live });
  }

  private addInvocation({ what, process, at }: Extract<Entry, { type: 'invoke' }>): void {
    if (what.kind === 'send' && !this.sends.has(what.key)) {
      this.sends.set(what.key, { what, process, invoked: at, oks: [], fails: 0, unknowns: 0 });
    }
    if ((what.kind === 'edit' || what.kind === 'delete') && !this.edits.has(editId(what))) {
      this.edits.set(editId(what), { what, invoked: at, oks: [] });
    }
    if (what.kind !== 'add' && what.kind !== 'remove') return;
    const place = `${what.chat} ${what.user}`;
    const changes = this.membershipChanges.get(place) ?? [];
    this.membershipChanges.set(place, changes);
    // Changes of one membership never overlap, so the same kind again is a retry.
    if (changes.at(-1)?.kind !== what.kind) changes.push({ kind: what.kind, invoked: at, ended: Infinity });
  }

  private addCompletion(
    { what, process, at: invoked }: Extract<Entry, { type: 'invoke' }>,
    { outcome, at: ended }: Extract<Entry, { type: 'ok' }>,
  ): void {
    if (what.kind === 'send' && outcome.kind === 'send') this.sends.get(what.key)!.oks.push({ ...outcome, at: ended });
    if ((what.kind === 'edit' || what.kind === 'delete') && 'message' in outcome)
      this.edits.get(editId(what))!.oks.push({ ...outcome, at: ended });
    if (what.kind === 'read' && outcome.kind === 'read') this.reads.push({ what, process, invoked, ended, outcome });
    if (what.kind === 'add' || what.kind === 'remove')
      this.membershipChanges.get(`${what.chat} ${what.user}`)!.at(-1)!.ended = ended;
    if (what.kind !== 'sync' || outcome.kind !== 'sync') return;
    this.syncs.push({ what, process, invoked, ended, outcome });
    for (const message of outcome.chats.flatMap(({ messages }) => messages)) {
      this.deliveries.push({ at: ended, device: what.device, user: what.user, message, live: undefined });
    }
  }
}
