/** Whether PostgreSQL and every client can store the text: it has no U+0000 and no lone surrogate. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** The length in Unicode code points, which people and PostgreSQL's `varchar(n)` count. Needs no array of them. */
export function codePoints(text: string): number {
  let pairs = 0;
  for (let index = 0; index < text.length - 1; index += 1) {
    // A code point above U+FFFF takes two UTF-16 units; the first is a high surrogate, U+D800 to U+DBFF.
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800) pairs += 1;
  }
  return text.length - pairs;
}
