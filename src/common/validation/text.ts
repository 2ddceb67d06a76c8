/** Whether PostgreSQL and every client can store the text: it has no U+0000 and no lone surrogate. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Whether the text has no control characters, such as line breaks. */
export const hasNoControls = (text: string): boolean => !/\p{Cc}/u.test(text);

/**
 * Whether the text fits on a line and shows as it is: no control characters, no breaks of lines and paragraphs, and
 * nothing that turns the direction of the text around it.
 */
export const isPlain = (text: string): boolean => !/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(text);

/** Whether there is anything to see: not only spaces, fillers (U+2800 is a blank of Braille) and the like. */
export const isVisible = (text: string): boolean =>
  /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{C}\u2800]/u.test(text);

/** The length in Unicode code points, which people and PostgreSQL's `varchar(n)` count. Needs no array of them. */
export function codePoints(text: string): number {
  let pairs = 0;
  for (let index = 0; index < text.length - 1; index += 1) {
    // A code point above U+FFFF takes two UTF-16 units; the first is a high surrogate, U+D800 to U+DBFF.
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800) pairs += 1;
  }
  return text.length - pairs;
}
