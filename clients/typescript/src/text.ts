import { ChatError } from './errors.js';

const MAX_CODE_POINTS = 4_096;

/**
 * Checks the text of a message as the server does.
 * @throws ChatError `validation_failed`
 */
export function checkText(text: string): void {
  if (text.trim() === '') throw invalid('must not be blank');
  if ([...text].length > MAX_CODE_POINTS) throw invalid(`must be text of 1 to ${MAX_CODE_POINTS} characters`);
  if (/\0|\p{Surrogate}/u.test(text)) throw invalid('must not hold U+0000 or half a surrogate pair');
}

const invalid = (message: string): ChatError =>
  new ChatError('validation_failed', `text ${message}`, { errors: [{ field: 'text', message }] });
