import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AuthService } from '../auth/auth.service.js';
import { ErasureSweeper } from './erasure.sweeper.js';

/** How long a request waits for the erasure, in milliseconds. A longer one goes on after the answer. */
const MAX_WAIT_MS = 2_000;

/** Closes accounts: `AuthService` ends the account and its sessions, then `ErasureSweeper` removes the rest. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly auth: AuthService,
    private readonly sweeper: ErasureSweeper,
  ) {}

  /**
   * Closes the account for good, and waits up to two seconds for its erasure.
   * @throws AppError `validation_failed` when the password is wrong
   */
  async close(userId: number, password: string): Promise<void> {
    await this.auth.closeAccount(userId, password);
    await Promise.race([this.sweeper.erase(userId), delay(MAX_WAIT_MS, undefined, { ref: false })]);
  }
}
