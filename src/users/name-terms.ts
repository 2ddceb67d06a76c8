/**
 * How names are searched: `users.search_terms` and every query are folded by the same function here, not by PostgreSQL,
 * whose case and letters depend on the database.
 */

/**
 * Marks that a search ignores: accents, Arabic vowels and other marks that any script may have, Hebrew points, and
 * joiners. Not the vowel signs of Indic scripts, and not the voicing marks of kana: those make other words.
 */
const IGNORED_MARKS = /(?![\u3099\u309a])\p{Script=Inherited}|(?=\p{M})[\u0591-\u05c7]|\u0640/gu;

/** Letters that have no decomposition, and are written as these by people who don't have them on their keyboard. */
const LETTERS: Readonly<Record<string, string>> = {
  ς: 'σ',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ŧ: 't',
  þ: 'th',
  æ: 'ae',
  œ: 'oe',
};
const SPECIAL_LETTERS = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'gu');

const NOT_IN_A_WORD = /[^\p{L}\p{N}\p{M}]+/u;

/** Scripts that put no spaces between words, and Korean, whose names are searched by the given name, too. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Characters of a word that count. It bounds what a name of compatibility characters, such as ㌖, unfolds to. */
const MAX_WORD = 100;

/**
 * The words of a text, folded: whatever the case, the accents, the width of the letters or the form of a sigma, equal
 * words are equal. `ё` is `е`, `й` is `и`, `ß` is `ss`, `ı` is `i`.
 */
export function foldedWords(text: string): string[] {
  return (
    text
      .normalize('NFKD')
      .replace(IGNORED_MARKS, '')
      // To upper case first: it unites more, such as ß and ss, or ı and i.
      .toUpperCase()
      .toLowerCase()
      .replace(SPECIAL_LETTERS, (letter) => LETTERS[letter]!)
      .normalize('NFC')
      .split(NOT_IN_A_WORD)
      .filter(Boolean)
      .map((word) => Array.from(word).slice(0, MAX_WORD).join(''))
  );
}

/**
 * What `users.search_terms` has for a name, with a space between: its folded words. Of a word in a script without
 * spaces also every end of it, so that any part of the word is the beginning of a term.
 */
export const nameTerms = (name: string): string => foldedWords(name).flatMap(endsOf).join(' ');

function endsOf(word: string): string[] {
  const characters = Array.from(word);
  return characters.flatMap((character, index) =>
    index === 0 || UNSPACED.test(character) ? characters.slice(index).join('') : [],
  );
}
