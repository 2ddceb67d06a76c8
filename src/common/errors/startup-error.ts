/**
 * Why the application can't start, in one line for the person who started it. `explainAndExit` prints it without a
 * stack trace.
 */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
