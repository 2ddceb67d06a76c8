import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { AccountDto, type UpdateUserDto, UserDto } from './dto/user.dto.js';
import type { User } from './user.entity.js';
import { UserRenamed } from './user.events.js';
import { type NewUser, UsersRepository } from './users.repository.js';

/**
 * The accounts of people, for the routes under `/users` and for other features: `auth` reads and changes passwords
 * through it, `chats`, `groups` and blocks check people with `requireAll`, and `accounts` closes and erases.
 */
@Injectable()
export class UsersService {
  private readonly logger = new Logger(UsersService.name);

  constructor(
    private readonly users: UsersRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Makes an account. @throws AppError `email_taken` */
  async register(fields: NewUser): Promise<AccountDto> {
    const user = await this.users.create(fields);
    if (!user) throw new AppError('email_taken');
    this.logger.log({ event: 'user.registered', user_id: user.id });
    return AccountDto.of(user);
  }

  /** The user with the password hash, for a login; null when no account has the email. */
  findForLogin(email: string): Promise<User | null> {
    return this.users.findByEmailWithPassword(email);
  }

  /** The hash of the user's password. @throws AppError `unauthorized` when the account is gone */
  async passwordHash(id: number): Promise<string> {
    const user = await this.users.findByIdWithPassword(id);
    if (!user?.passwordHash) throw new AppError('unauthorized');
    return user.passwordHash;
  }

  /** Whether the account still has this password hash. If so, the hash can't change until the transaction ends. */
  lockPassword(id: number, hash: string): Promise<boolean> {
    return this.users.holdPassword(id, hash);
  }

  /** Replaces the password hash, if it still is `from`; returns whether it was. */
  changePassword(id: number, from: string, to: string): Promise<boolean> {
    return this.users.changePassword(id, from, to);
  }

  /** Closes the account for good and removes its name and email, if it still has this hash; returns whether it had. */
  close(id: number, hash: string): Promise<boolean> {
    return this.users.close(id, hash);
  }

  /** Closed accounts that are not fully erased. */
  toErase(): Promise<number[]> {
    return this.users.toErase();
  }

  /** Records that the erasure of a closed account is complete. */
  markErased(id: number): Promise<void> {
    return this.users.markErased(id);
  }

  /** Those with an open account of whom some chats have yet to be told the name. */
  renamed(): Promise<number[]> {
    return this.users.renamed();
  }

  /** The version of the user's name, if some chats have yet to be told it; also of a closed account. */
  untoldNameVersion(id: number): Promise<number | undefined> {
    return this.users.untoldNameVersion(id);
  }

  /** Records that all chats of the user have been told the name of this version. */
  markNameTold(id: number, version: number): Promise<void> {
    return this.users.markNameTold(id, version);
  }

  /** The caller's own account. @throws AppError `unauthorized` when it is gone */
  async account(id: number): Promise<AccountDto> {
    const user = await this.users.findById(id);
    if (!user?.email) throw new AppError('unauthorized');
    return AccountDto.of(user);
  }

  /** A person, also one whose account is closed. @throws AppError `user_not_found` */
  async get(id: number): Promise<UserDto> {
    const user = await this.users.findById(id);
    if (!user) throw new AppError('user_not_found');
    return UserDto.of(user);
  }

  /** People in the order of these ids, also those whose account is closed. Ids that nobody has are left out. */
  async lookUp(ids: readonly number[]): Promise<UserDto[]> {
    return (await this.users.findByIds(ids)).map((user) => UserDto.of(user));
  }

  /**
   * Requires open accounts of all these people. Until the transaction ends they stay open, and no other call of this
   * method has one of them.
   * @throws AppError `user_not_found` when one has no account, or a closed one
   */
  async requireAll(ids: readonly number[]): Promise<void> {
    const existing = await this.users.holdOpen(ids);
    if (existing.length < new Set(ids).size) throw new AppError('user_not_found');
  }

  /**
   * Changes the caller's own name, or who may add them to groups. A new name is told to all their chats afterwards.
   * @throws AppError `validation_failed` without a change, `unauthorized` when the account is gone
   */
  async change(id: number, { name, addable_by }: UpdateUserDto): Promise<AccountDto> {
    if (name === undefined && addable_by === undefined) throw AppError.invalidField('name', 'is required');
    const changes = { ...(name && { name }), ...(addable_by && { addableBy: addable_by }) };
    await this.unitOfWork.run(async () => {
      const isUntold = await this.users.change(id, changes);
      if (isUntold === undefined) throw new AppError('unauthorized');
      if (isUntold) this.unitOfWork.publish(new UserRenamed(id));
    });
    this.logger.log({ event: 'user.changed', user_id: id });
    return this.account(id);
  }

  /** People by words of their name or by their exact email; see `UsersRepository.search`. */
  async search(query: string, limit: number, offset: number): Promise<UserDto[]> {
    return (await this.users.search(query, limit, offset)).map((user) => UserDto.of(user));
  }
}
