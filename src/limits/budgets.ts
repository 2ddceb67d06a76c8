/** Allows `limit` calls in a window of `seconds`, which begins with the first call. */
export interface Budget {
  readonly limit: number;
  readonly seconds: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** The budgets of HTTP routes, which `@RateLimit` names. docs/security.md has the reasons for these numbers. */
export const BUDGETS = {
  /** All routes without a budget of their own: of one user or, without a token, of one address. */
  requests: { limit: 1_200, seconds: MINUTE },
  /** Messages of one user over REST. */
  sends: { limit: 1_200, seconds: MINUTE },
  /** Logins from one address, right or wrong. */
  logins: { limit: 120, seconds: MINUTE },
  /** New accounts from one address. */
  registrations: { limit: 60, seconds: HOUR },
  /** Refreshes from one address. */
  refreshes: { limit: 600, seconds: MINUTE },
  /** Changes of one's name or settings: a new name is told to everybody in one's chats. */
  accountChanges: { limit: 20, seconds: HOUR },
  /**
   * Attempts to change the password or close the account, in one session: a stolen access token must not be enough to
   * guess the password.
   */
  passwords: { limit: 10, seconds: 15 * MINUTE },
} as const satisfies Record<string, Budget>;
