import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { AppError } from '../common/errors/app-error.js';
import { networkOf } from '../common/http/client-address.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import type { Budget } from '../limits/budgets.js';
import { RateLimiterFactory, consume } from '../limits/rate-limiter.factory.js';

const MINUTE = 60;

/** How many wrong passwords are allowed; docs/security.md has the reasons for these numbers. */
const BUDGETS = {
  /** For one account from one address. */
  pair: { limit: 10, seconds: 15 * MINUTE },
  /** For all accounts from one address. */
  address: { limit: 100, seconds: 60 * MINUTE },
  /** For one account from all addresses. It doesn't bind an address from which the account is already in use. */
  account: { limit: 100, seconds: 60 * MINUTE },
} as const satisfies Record<string, Budget>;

type Kind = keyof typeof BUDGETS;
const KINDS = ['pair', 'address', 'account'] as const satisfies Kind[];

/** One login attempt. */
export interface LoginAttempt {
  /** Identifies the account: `user:` and its id, or `email:` and the email when there is no such account. */
  readonly account: string;
  readonly address: string;
  /** Whether the account has a live session that was last used from this address. */
  readonly isKnown: () => Promise<boolean>;
}

/**
 * The login throttle: bounds wrong passwords, so that guessing takes years, and nobody who guesses elsewhere can lock
 * the owner of an account out. `AuthService.login` runs each attempt through it.
 *
 * An attempt is counted in all three budgets before the password is checked; otherwise parallel attempts would be free.
 * - A budget is used up: the attempt is refused, and what it has counted is given back.
 * - The password is right: `pair` starts anew, and the count in `address` and `account` is given back.
 * - The password is wrong: the counts stay.
 * - The work fails otherwise (overloaded, database unavailable): all counts are given back.
 */
@Injectable()
export class LoginThrottle {
  private readonly logger = new Logger(LoginThrottle.name);
  private readonly limiters: Record<Kind, RateLimiterAbstract>;

  constructor(
    limiterFactory: RateLimiterFactory,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
  ) {
    this.limiters = {
      pair: limiterFactory.create('guess-pair', BUDGETS.pair),
      address: limiterFactory.create('guess-address', BUDGETS.address),
      account: limiterFactory.create('guess-account', BUDGETS.account),
    };
  }

  /**
   * Runs `work`, which checks the password and throws `invalid_credentials` when it is wrong.
   * @throws AppError `rate_limited` after too many wrong passwords, and what `work` throws
   */
  async attempt<T>(login: LoginAttempt, work: () => Promise<T>): Promise<T> {
    if (!this.config.rateLimit) return work();
    const keys = keysOf(login);
    await this.count(login, keys);
    try {
      const result = await work();
      await Promise.all([this.limiters.pair.delete(keys.pair), this.giveBack(keys, ['address', 'account'])]);
      return result;
    } catch (error) {
      // The password was neither right nor wrong: overloaded, or the database is unavailable.
      if (!(error instanceof AppError && error.code === 'invalid_credentials')) await this.giveBack(keys, KINDS);
      throw error;
    }
  }

  private async count(login: LoginAttempt, keys: Record<Kind, string>): Promise<void> {
    const counted: Kind[] = [];
    for (const kind of KINDS) {
      counted.push(kind);
      try {
        await consume(this.limiters[kind], keys[kind], 'Too many wrong passwords; try again later.');
      } catch (error) {
        if (kind === 'account' && (await login.isKnown())) continue;
        // A refused attempt checks no password, so it must not count.
        await this.giveBack(keys, counted);
        this.logger.warn({ event: 'login.refused', too_many_for: kind });
        throw error;
      }
    }
  }

  private async giveBack(keys: Record<Kind, string>, kinds: readonly Kind[]): Promise<void> {
    await Promise.all(kinds.map((kind) => this.limiters[kind].reward(keys[kind])));
  }
}

function keysOf({ account, address }: LoginAttempt): Record<Kind, string> {
  const from = networkOf(address);
  // Hashed, so that Redis holds no email and keys stay short.
  const accountKey = createHash('sha256').update(account.toLowerCase()).digest('base64url');
  return { pair: `${accountKey}:${from}`, address: from, account: accountKey };
}
