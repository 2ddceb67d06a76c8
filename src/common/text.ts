/** Whether PostgreSQL and every client can hold the text: no U+0000 and no lone surrogate. */
export function isStorable(text: string): boolean {
  // \p{Cs} under the `u` flag matches only a surrogate that has no partner.
  return !/[\0\p{Cs}]/u.test(text);
}

/** The length in Unicode code points, which is what a person counts and PostgreSQL's `varchar(n)` does. */
export function codePoints(text: string): number {
  return Array.from(text).length;
}
