/** The fields of an error that reach the log. */
interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: unknown;
  readonly cause: LoggedError | string | undefined;
}

/**
 * The serializer of every logged `err`. It copies only these fields, because an error of the database also has the
 * values of the statement and the refused row: messages, emails and password hashes.
 */
export function loggedError(error: unknown): LoggedError | string {
  if (!(error instanceof Error)) return typeof error;
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message,
    stack,
    code: (error as NodeJS.ErrnoException).code,
    cause: cause === undefined ? undefined : loggedError(cause),
  };
}
