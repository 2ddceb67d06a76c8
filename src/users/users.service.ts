import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';
import { AccountDto, UserDto } from './dto/user.dto.js';
import type { User } from './user.entity.js';
import { type NewUser, UsersRepository } from './users.repository.js';

@Injectable()
export class UsersService {
  private readonly logger = new Logger(UsersService.name);

  constructor(private readonly users: UsersRepository) {}

  /** @throws AppError `email_taken` */
  async register(fields: NewUser): Promise<AccountDto> {
    const user = await this.users.create(fields);
    if (!user) throw new AppError('email_taken');
    this.logger.log({ event: 'user.registered', user_id: user.id });
    return AccountDto.of(user);
  }

  /** For a login; null when no account has the email. */
  findForLogin(email: string): Promise<User | null> {
    return this.users.findByEmailWithPassword(email);
  }

  /** The hash of the user's password. @throws AppError `unauthorized` when the account is gone */
  async passwordHash(id: number): Promise<string> {
    const user = await this.users.findByIdWithPassword(id);
    if (!user?.passwordHash) throw new AppError('unauthorized');
    return user.passwordHash;
  }

  /** Whether the password still has this hash; if so, it can't change until the transaction ends. */
  lockPassword(id: number, hash: string): Promise<boolean> {
    return this.users.holdPassword(id, hash);
  }

  /** Whether the password had the hash `from`; if not, it stays as it is. */
  changePassword(id: number, from: string, to: string): Promise<boolean> {
    return this.users.changePassword(id, from, to);
  }

  /** Whether the password had this hash; then the account is closed for good, and its name and email are gone. */
  close(id: number, hash: string): Promise<boolean> {
    return this.users.close(id, hash);
  }

  /** Closed accounts of which something may be left. */
  toErase(): Promise<number[]> {
    return this.users.toErase();
  }

  /** Nothing of the closed account is left. */
  markErased(id: number): Promise<void> {
    return this.users.markErased(id);
  }

  /** The caller's own account. @throws AppError `unauthorized` when it is gone */
  async account(id: number): Promise<AccountDto> {
    const user = await this.users.findById(id);
    if (!user?.email) throw new AppError('unauthorized');
    return AccountDto.of(user);
  }

  /** @throws AppError `user_not_found` */
  async get(id: number): Promise<UserDto> {
    const user = await this.users.findById(id);
    if (!user) throw new AppError('user_not_found');
    return UserDto.of(user);
  }

  /**
   * These people are there, and none of them closes their account until the transaction ends.
   * @throws AppError `user_not_found` when one of them isn't, or has closed it
   */
  async requireAll(ids: readonly number[]): Promise<void> {
    const existing = await this.users.holdOpen(ids);
    if (existing.length < new Set(ids).size) throw new AppError('user_not_found');
  }

  /** @throws AppError `unauthorized` when the account is gone */
  async rename(id: number, name: string): Promise<AccountDto> {
    if (!(await this.users.rename(id, name))) throw new AppError('unauthorized');
    this.logger.log({ event: 'user.renamed', user_id: id });
    return this.account(id);
  }

  async search(query: string, limit: number): Promise<UserDto[]> {
    return (await this.users.search(query, limit)).map((user) => UserDto.of(user));
  }
}
