/** The most events that are kept while commands are under way: as many as commands may be. */
const MAX_EVENTS = 1_000;

/** The most acks that are kept. Only one whose event comes late needs it. */
const MAX_ACKS = 100;

/**
 * Sees to it that an accepted command leads to one frame, where both an event and the ack can be its answer: to the first
 * of the two. `PlainTranslator` has one for each connection.
 *
 * The ack doesn't say whether there is an event; a command that changed nothing has none. So each event and each ack has
 * a *key*, which is the same if they say the same.
 *
 * State: how many commands are under way; the events that were sent meanwhile, each of which may be the answer to one of
 * them; and the newest acks that were sent. An event usually leaves before the ack. It comes after it if the database
 * fails just after the commit.
 *
 * Invariants: an event is the answer to one command at the most. Nothing is sent a second time because a command was under
 * way.
 */
export class AnswerMatcher {
  private underWay = 0;
  private readonly events = new Set<string>();
  private readonly acks = new Set<string>();

  /** Whether `event` would return true for any key, and change nothing. */
  get isIdle(): boolean {
    return this.underWay === 0 && this.acks.size === 0;
  }

  /** A command is under way, until its `end`. */
  begin(): void {
    this.underWay += 1;
  }

  /** Takes an event with this key. Returns whether it must be sent: not if its ack was. */
  event(key: string): boolean {
    if (this.acks.delete(key)) return false;
    if (this.underWay > 0) keep(this.events, key, MAX_EVENTS);
    return true;
  }

  /** Ends a command. `key`: that of its ack, if it was accepted. Returns whether the ack must be sent: not if its event was. */
  end(key: string | undefined): boolean {
    const wasSent = key !== undefined && this.events.delete(key);
    if (key !== undefined && !wasSent) keep(this.acks, key, MAX_ACKS);
    this.underWay -= 1;
    if (this.underWay === 0) this.events.clear();
    return !wasSent;
  }
}

/** Adds the key, in place of the oldest one if there are too many. */
function keep(keys: Set<string>, key: string, most: number): void {
  keys.add(key);
  const [oldest] = keys;
  if (keys.size > most) keys.delete(oldest!);
}
