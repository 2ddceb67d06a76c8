/**
 * Why the application can't start, in one line for the person who started it. `explainAndExit` prints it without a
 * stack trace.
 */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}

/**
 * Prints why the start or the stop failed, and exits with code 1: one line for a `StartupError`, which the person can
 * fix; a stack trace for any other error.
 */
export function explainAndExit(error: unknown): never {
  process.stderr.write(`${error instanceof StartupError ? error.message : String((error as Error).stack ?? error)}\n`);
  process.exit(1);
}
