interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: unknown;
  readonly cause: LoggedError | string | undefined;
}

/**
 * What is logged of an error: nothing but this. An error of the database also carries the statement's values and the row
 * that it refused, so messages, emails and hashes of passwords.
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
