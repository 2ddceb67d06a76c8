/**
 * What every session with PostgreSQL has, by the name of the setting, in the form in which `SHOW` prints it. The
 * connection asks for it (`data-source-options.ts`), and the start checks it (`require-server.ts`): a pooler, or the
 * `options` of DATABASE_URL, may take its place.
 */
export const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  // The form of times that pg reads.
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  // After a lock, each statement must see what was committed before the lock was granted.
  default_transaction_isolation: 'read committed',
  // No statement names a schema.
  search_path: 'public',
  // Shorter than `query_timeout` of the client, so that a slow statement ends with an error of the server.
  statement_timeout: '2500ms',
  // A node may be stopped or cut off in the middle of a transaction. PostgreSQL then ends it, which releases its locks.
  idle_in_transaction_session_timeout: '2s',
};

/** The settings as the `options` of a connection: command-line arguments, in which a backslash keeps a space. */
export function sessionOptions(): string {
  const settings = Object.entries(SESSION_SETTINGS);
  return settings.map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`).join(' ');
}
