/** So many in a window of so many seconds, which begins with the first of them. */
export interface Budget {
  readonly limit: number;
  readonly seconds: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** What routes allow; docs/security.md says why it is these numbers. */
export const BUDGETS = {
  /** All routes that are in no other line, of one user; without a token, of one address. */
  requests: { limit: 1_200, seconds: MINUTE },
  /** Messages of one user over REST. */
  sends: { limit: 1_200, seconds: MINUTE },
  /** Logins from one address, right or wrong. */
  logins: { limit: 120, seconds: MINUTE },
  /** New accounts from one address. */
  registrations: { limit: 60, seconds: HOUR },
  /** Refreshes from one address. */
  refreshes: { limit: 600, seconds: MINUTE },
  /** Attempts to change the password, or to close the account, in one session: whoever has stolen its token must not guess the password with it. */
  passwords: { limit: 10, seconds: 15 * MINUTE },
} as const satisfies Record<string, Budget>;
