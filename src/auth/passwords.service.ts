import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { hash, type Options, verify } from '@node-rs/argon2';
import pLimit from 'p-limit';
import { AppError } from '../common/errors/app-error.js';

/**
 * OWASP's minimum for argon2id, the library's default algorithm: 19 MiB, two passes, one lane (Password Storage Cheat
 * Sheet).
 */
export const DEFAULT_ARGON2_OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } satisfies Options;

/** Nest's token of the parameters. Specs that log in many hundred times take cheaper ones; they are no setting. */
export const ARGON2_OPTIONS = Symbol('Argon2Options');

/**
 * Half of the cores. argon2 runs in libuv's threads beside the event loop; with more it would take the cores from
 * messaging.
 */
const CONCURRENCY = Math.max(1, Math.floor(availableParallelism() / 2));

/** Jobs that may wait: 64 for each that runs. At some 30 ms each, the last one waits two seconds. */
const MAX_WAITING = 64 * CONCURRENCY;

/**
 * Hashes and checks passwords with argon2id. At most `CONCURRENCY` jobs run at once and `MAX_WAITING` wait; more are
 * refused with `overloaded`. Only `AuthService` calls it.
 */
@Injectable()
export class PasswordsService implements OnModuleInit {
  private readonly limited = pLimit(CONCURRENCY);
  /** The hash of a random password, for `verify` when there is no account. */
  private decoy: string;
  /** The beginning of every hash with these parameters, in PHC string format (19 is version 1.3 of argon2). */
  private readonly current: string;

  constructor(@Inject(ARGON2_OPTIONS) private readonly options: typeof DEFAULT_ARGON2_OPTIONS) {
    const { memoryCost, timeCost, parallelism } = options;
    this.current = `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`;
  }

  async onModuleInit(): Promise<void> {
    this.decoy = await this.hash(randomBytes(16).toString('hex'));
  }

  /** The hash in PHC string format. @throws AppError `overloaded` */
  hash(password: string): Promise<string> {
    return this.queued(() => hash(password, this.options));
  }

  /**
   * Whether the password is right. Without a stored hash the answer is false after the same time, so that timing
   * doesn't reveal whether an email has an account. @throws AppError `overloaded`
   */
  async verify(stored: string | undefined, password: string): Promise<boolean> {
    const right = await this.queued(() => verify(stored ?? this.decoy, password));
    return stored !== undefined && right;
  }

  /** Whether the hash was made with other parameters than the current ones. */
  isOutdated(stored: string): boolean {
    return !stored.startsWith(this.current);
  }

  /** @throws AppError `overloaded` when the queue is full */
  assertRoom(): void {
    if (this.limited.pendingCount >= MAX_WAITING) {
      throw new AppError('overloaded', 'Too many people are logging in; try again.');
    }
  }

  private async queued<T>(work: () => Promise<T>): Promise<T> {
    this.assertRoom();
    return this.limited(work);
  }
}
