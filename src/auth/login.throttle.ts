import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { normalizeIp } from '@nestjs/throttler';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { AppError } from '../common/errors/app-error.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import type { Budget } from '../limits/budgets.js';
import { RateLimiterFactory, consume } from '../limits/rate-limiter.factory.js';

const MINUTE = 60;

/** How often a password may be wrong; docs/security.md says why it is these numbers. */
const BUDGETS = {
  /** For one account from one address. */
  pair: { limit: 10, seconds: 15 * MINUTE },
  /** For all accounts from one address. */
  address: { limit: 100, seconds: 60 * MINUTE },
  /** For one account from all addresses; where it is used already, only `pair` counts. */
  account: { limit: 100, seconds: 60 * MINUTE },
} as const satisfies Record<string, Budget>;

type Kind = keyof typeof BUDGETS;
const KINDS = ['pair', 'address', 'account'] as const satisfies Kind[];

/** The address as guesses are counted by it: of IPv6 the /64, which is what one customer has. */
export const addressKey = (address: string): string => normalizeIp(address);

/** Somebody's try at a password. */
export interface LoginAttempt {
  /** What tells the account from others: its id, or the email when there is no such account. */
  readonly account: string;
  readonly address: string;
  /** Whether the account is used from this address already. */
  readonly isKnown: () => Promise<boolean>;
}

/**
 * Bounds wrong passwords, so that guessing takes years and the owner of an account can't be locked out by somebody who
 * guesses elsewhere. A try counts as wrong while it is under way, or many at once would all be free.
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

  /** Lets somebody try, unless they were wrong too often. @throws AppError `rate_limited`, and what `work` throws */
  async attempt<T>(guess: LoginAttempt, work: () => Promise<T>): Promise<T> {
    if (!this.config.rateLimit) return work();
    const keys = keysOf(guess);
    await this.count(guess, keys);
    try {
      const result = await work();
      await Promise.all([this.limiters.pair.delete(keys.pair), this.giveBack(keys, ['address', 'account'])]);
      return result;
    } catch (error) {
      // Neither right nor wrong: overloaded, the database away.
      if (!(error instanceof AppError && error.code === 'invalid_credentials')) await this.giveBack(keys, KINDS);
      throw error;
    }
  }

  private async count(guess: LoginAttempt, keys: Record<Kind, string>): Promise<void> {
    const counted: Kind[] = [];
    for (const kind of KINDS) {
      counted.push(kind);
      try {
        await consume(this.limiters[kind], keys[kind], 'Too many wrong passwords; try again later.');
      } catch (error) {
        if (kind === 'account' && (await guess.isKnown())) continue;
        // A try that isn't made can't have been wrong.
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
  const from = addressKey(address);
  // Hashed: nobody's email is kept in Redis, and a key is short.
  const whose = createHash('sha256').update(account.toLowerCase()).digest('base64url');
  return { pair: `${whose}:${from}`, address: from, account: whose };
}
