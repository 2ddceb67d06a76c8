import type { CommandError, ErrorCode, FieldError, Problem } from '../../../src/contract/errors.js';

/**
 * The codes of the server, and those of this client: `no_answer` (none came, or not in time), `connection_cut` (each of
 * five tries ended the connection), `signed_out`, `storage_full`.
 */
export type ChatErrorCode = ErrorCode | 'no_answer' | 'connection_cut' | 'signed_out' | 'storage_full';

interface Details {
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly errors?: readonly FieldError[];
}

/** What all calls of this client throw, and reject with. Switch on `code`; `message` is for people. */
export class ChatError extends Error {
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** When it may be tried again, in milliseconds from the refusal. */
  readonly retryAfterMs: number | undefined;
  /** Of `validation_failed`: what is wrong with which field. */
  readonly errors: readonly FieldError[];

  constructor(
    readonly code: ChatErrorCode,
    message: string,
    { retryable = false, retryAfterMs, errors = [] }: Details = {},
  ) {
    super(message);
    this.name = 'ChatError';
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
    this.errors = errors;
  }
}

/** The refusal of a command, or of a connection. */
export const refused = ({ code, message, retryable, retry_after_ms, errors }: CommandError): ChatError =>
  new ChatError(code, message, { retryable, retryAfterMs: retry_after_ms, errors });

/** The refusal of a request. */
export function problem({ code, detail, errors, status }: Problem, retryAfter: string | null): ChatError {
  const retryAfterMs = retryAfter === null ? undefined : 1_000 * Number(retryAfter);
  return new ChatError(code, detail, { retryable: status === 429 || status === 503, retryAfterMs, errors });
}

export const noAnswer = (): ChatError => new ChatError('no_answer', 'The server did not answer.', { retryable: true });

export const signedOut = (): ChatError => new ChatError('signed_out', 'Nobody is signed in.');

/** What is thrown as a ChatError, whatever it was. */
export const asChatError = (error: unknown): ChatError =>
  error instanceof ChatError ? error : new ChatError('internal_error', String(error));
