import type { ErrorCode, FieldError } from '../../contract/errors.js';
import { ERRORS } from './error-codes.js';

/**
 * The only error that services throw on purpose. Clients get `message` as `detail`, so it must not hold anything
 * private.
 */
export class AppError extends Error {
  override readonly name = 'AppError';

  constructor(
    readonly code: ErrorCode,
    detail: string = ERRORS[code].title,
    readonly errors?: readonly FieldError[],
    /** When the client may try the same again, in milliseconds from now. */
    readonly retryAfterMs?: number,
  ) {
    super(detail);
  }

  /** `validation_failed` for the given fields. */
  static invalid(errors: readonly FieldError[]): AppError {
    const fields = errors.map(({ field }) => field).join(', ');
    return new AppError('validation_failed', `Not valid: ${fields}.`, errors);
  }

  /** `validation_failed` for one field. */
  static invalidField(field: string, message: string): AppError {
    return AppError.invalid([{ field, message }]);
  }

  /** `rate_limited` for this many milliseconds. */
  static rateLimited(retryAfterMs: number, detail?: string): AppError {
    return new AppError('rate_limited', detail, undefined, retryAfterMs);
  }
}
