/** A check of who may do what, and how to take it out. */
export interface Check {
  readonly name: string;
  readonly file: string;
  /** What stands there, once in the file. */
  readonly cut: string;
  /** What comes in its place, when that isn't nothing. */
  readonly put?: string;
  /** The specs that have to see that it is gone, when that isn't the access matrix. */
  readonly red?: readonly string[];
}
