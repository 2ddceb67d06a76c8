/** What a figure is compared with, and what it has to reach. */
export interface Target {
  /** The subject divided by this column; unset: the subject's own value. */
  readonly over?: string;
  /** Neither of the two: the ratio is of interest, and nothing was promised. */
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One thing that was measured: a value for each column (a server, or a case) and round. */
export class Figure {
  private readonly rounds: Record<string, number>[] = [];

  /** `subject` is the column that the targets are about. */
  constructor(
    readonly title: string,
    readonly unit: string,
    readonly targets: readonly Target[] = [],
    readonly subject = 'ours',
  ) {}

  add(round: number, column: string, value: number): void {
    (this.rounds[round] ??= {})[column] = value;
  }

  get columns(): string[] {
    return [...new Set(this.rounds.flatMap((round) => Object.keys(round)))];
  }

  valuesOf(column: string): number[] {
    return this.rounds.flatMap((round) => round[column] ?? []);
  }

  median(column: string): number | undefined {
    return median(this.valuesOf(column));
  }

  /** The subject over another column, round by round: what changes on the machine between the rounds falls out. */
  ratios(over: string): number[] {
    return this.rounds.flatMap(({ [this.subject]: subject, [over]: other }) =>
      subject !== undefined && other !== undefined ? [subject / other] : [],
    );
  }

  /** What a target is held against: the median of the rounds. */
  reached({ over }: Target): number {
    return (over === undefined ? this.median(this.subject) : median(this.ratios(over))) ?? NaN;
  }

  toJSON(): object {
    const { title, unit, subject, rounds } = this;
    const medians = Object.fromEntries(this.columns.map((column) => [column, this.median(column)]));
    const targets = this.targets.map((target) => {
      const value = this.reached(target);
      return { ...target, value, met: isMet(target, value), rounds: target.over && this.ratios(target.over) };
    });
    return { title, unit, subject, medians, rounds, targets };
  }
}

export const isMet = ({ atLeast = -Infinity, atMost = Infinity }: Target, value: number): boolean =>
  value >= atLeast && value <= atMost;

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) && middle > 0
    ? (sorted[middle - 1]! + sorted[middle]!) / 2
    : sorted[Math.floor(middle)];
}
