/** Messages without a hole: the `seq` of the first and of the last one. */
export interface Run {
  from: number;
  to: number;
}

/** Which messages of a chat are held: their keys by `seq`, in runs that become one when they touch. */
export class Timeline {
  readonly #keys = new Map<number, string>();
  /** By `from`; no two touch. */
  readonly #runs: Run[] = [];

  key(seq: number): string | undefined {
    return this.#keys.get(seq);
  }

  /** The keys of all that are held. */
  all(): Iterable<string> {
    return this.#keys.values();
  }

  has(seq: number): boolean {
    return this.#keys.has(seq);
  }

  /** Whether all of these are held. */
  covers(from: number, to: number): boolean {
    const run = this.runAt(from);
    return from > to || (run !== undefined && run.to >= to);
  }

  /** The run in which this message is. */
  runAt(seq: number): Run | undefined {
    return this.#runs.findLast(({ from, to }) => from <= seq && seq <= to);
  }

  add(seq: number, key: string): void {
    if (this.#keys.has(seq)) return;
    this.#keys.set(seq, key);
    const index = this.#runs.findLastIndex(({ from }) => from <= seq);
    const before = this.#runs[index];
    const after = this.#runs[index + 1];
    const joinsAfter = after?.from === seq + 1;
    if (before?.to === seq - 1) {
      before.to = joinsAfter ? after.to : seq;
      if (joinsAfter) this.#runs.splice(index + 1, 1);
    } else if (joinsAfter) after.from = seq;
    else this.#runs.splice(index + 1, 0, { from: seq, to: seq });
  }
}
