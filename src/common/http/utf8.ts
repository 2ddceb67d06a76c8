import { isUtf8 } from 'node:buffer';
import { AppError } from '../errors/app-error.js';

/** What comes in as bytes is UTF-8, or it is refused. Node's own decoding would put U+FFFD where it isn't. */

/** The bytes as text. @throws AppError `validation_failed` for `field` when they aren't UTF-8 */
export function textOf(bytes: Buffer, field: string): string {
  if (!isUtf8(bytes)) throw AppError.invalidField(field, 'must be UTF-8');
  return bytes.toString();
}

/** The text of a header, which Node reads as Latin-1. @throws AppError `validation_failed` when it isn't UTF-8 */
export function headerText(value: string, name: string): string {
  return isAscii(value) ? value : textOf(Buffer.from(value, 'latin1'), name);
}

/** Whether the text is ASCII, and each percent sequence in it is UTF-8. */
export const isAddress = (text: string): boolean => isAscii(text) && isPercentEncoded(text);

/** Whether each percent sign in the text begins a sequence, and the sequences are UTF-8. */
export function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);
