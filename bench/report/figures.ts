/** A comparison of a figure, and the bound it must reach. */
export interface Target {
  /** The column by which the subject is divided; unset for the subject's own value. */
  readonly over?: string;
  /** With neither bound the ratio is only reported. */
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A measured quantity, with a value for each column (a server or a case) and round. */
export class Figure {
  private readonly rounds: Record<string, number>[] = [];

  /** `subject` is the column that must meet the targets. */
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

  /** The subject divided by another column, by round, so that changes of the machine between rounds cancel out. */
  ratios(over: string): number[] {
    return this.rounds.flatMap(({ [this.subject]: subject, [over]: other }) =>
      subject !== undefined && other !== undefined ? [subject / other] : [],
    );
  }

  /** The value that is compared with the target: the median of the rounds. */
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
