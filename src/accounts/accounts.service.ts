import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AuthService } from '../auth/auth.service.js';
import { ErasureSweeper } from './erasure.sweeper.js';

/** How long a request waits for the erasure to end; what takes longer goes on without it. */
const PATIENCE_MS = 2_000;

@Injectable()
export class AccountsService {
  constructor(
    private readonly auth: AuthService,
    private readonly sweeper: ErasureSweeper,
  ) {}

  /** Closes the account, for good, and erases what it has left. @throws AppError `validation_failed` when the password is wrong */
  async close(userId: number, password: string): Promise<void> {
    await this.auth.closeAccount(userId, password);
    await Promise.race([this.sweeper.erase(), delay(PATIENCE_MS, undefined, { ref: false })]);
  }
}
