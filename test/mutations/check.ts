/** A check in the source, of access or order, and the edit that removes it (a mutation). */
export interface Check {
  /** The rule that the check enforces. */
  readonly name: string;
  readonly file: string;
  /** The text of the check. It occurs exactly once in the file. */
  readonly cut: string;
  /** The replacement; nothing by default. */
  readonly put?: string;
  /** The specs of which a test must fail without the check; the access matrix by default. */
  readonly red?: readonly string[];
}
