/** Whether PostgreSQL and every client can hold the text: no U+0000 and no lone surrogate. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** The length in Unicode code points, which is what a person counts and PostgreSQL's `varchar(n)` does. */
export function codePoints(text: string): number {
  let pairs = 0;
  for (let index = 0; index < text.length - 1; index += 1) {
    // A code point past U+FFFF is two units, the first of which is one of these.
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800) pairs += 1;
  }
  return text.length - pairs;
}
