import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { hash, type Options, verify } from '@node-rs/argon2';
import pLimit from 'p-limit';
import { AppError } from '../common/errors/app-error.js';

/** OWASP's minimum for argon2id, the library's default algorithm: 19 MiB, two passes, one lane (Password Storage Cheat Sheet). */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } satisfies Options;

/** How the hashes of today begin, in PHC string format (version 1.3 of argon2 is 19). */
const CURRENT = `$argon2id$v=19$m=${ARGON2.memoryCost},t=${ARGON2.timeCost},p=${ARGON2.parallelism}$`;

/** Half of the cores: argon2 runs beside the event loop, in libuv's threads, and would take all of them from messaging. */
const AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2));

/** How many can wait for each of them: at some 30 ms, two seconds' worth. */
const WAITING = 64 * AT_ONCE;

/** Hashes and compares passwords, a few at once and a bounded number waiting. */
@Injectable()
export class PasswordsService implements OnModuleInit {
  private readonly inTurn = pLimit(AT_ONCE);
  private decoy: string;

  async onModuleInit(): Promise<void> {
    this.decoy = await this.hash(randomBytes(16).toString('hex'));
  }

  /** The hash in PHC string format. @throws AppError `overloaded` */
  hash(password: string): Promise<string> {
    return this.queued(() => hash(password, ARGON2));
  }

  /**
   * Whether the password is right. Without a hash it takes as long and is wrong, so that an unknown email doesn't show in
   * time. @throws AppError `overloaded`
   */
  async verify(stored: string | undefined, password: string): Promise<boolean> {
    const right = await this.queued(() => verify(stored ?? this.decoy, password));
    return stored !== undefined && right;
  }

  /** Whether a hash was made with other parameters than those of today. */
  isOutdated(stored: string): boolean {
    return !stored.startsWith(CURRENT);
  }

  /** @throws AppError `overloaded` when as many wait as may */
  assertRoom(): void {
    if (this.inTurn.pendingCount >= WAITING) {
      throw new AppError('overloaded', 'Too many people are logging in; try again.');
    }
  }

  private async queued<T>(work: () => Promise<T>): Promise<T> {
    this.assertRoom();
    return this.inTurn(work);
  }
}
