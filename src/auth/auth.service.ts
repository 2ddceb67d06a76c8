import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';
import type { Principal } from '../common/principal.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { AccountDto } from '../users/dto/user.dto.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { Client } from './client.js';
import type { LoginDto, ChangePasswordDto, RegisterDto, TokensDto } from './dto/auth.dto.js';
import { isRefreshGrant, type RefreshGrantDto } from './dto/grant.dto.js';
import { LoginThrottle } from './login.throttle.js';
import { PasswordsService } from './passwords.service.js';
import { type OpenedSession, SessionsService } from './sessions.service.js';

/**
 * What needs a password: registration, login, a password change, closing the account. `AuthController` and
 * `AccountsService` call it.
 *
 * argon2 takes some 30 ms, so a password is checked outside the transaction, against a hash read before. The
 * transaction then compares the hash again: when it has changed meanwhile, the check starts over with the new one.
 */
@Injectable()
export class AuthService {
  private readonly logger = new Logger(AuthService.name);

  constructor(
    private readonly users: UsersService,
    private readonly passwords: PasswordsService,
    private readonly throttle: LoginThrottle,
    private readonly sessions: SessionsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** @throws AppError `email_taken` */
  async register({ name, email, password }: RegisterDto): Promise<AccountDto> {
    return this.users.register({ name, email, passwordHash: await this.passwords.hash(password) });
  }

  /** Opens a session, or refreshes one. @throws AppError as `login` or `SessionsService.refresh` does */
  grant(form: LoginDto | RefreshGrantDto, client: Client): Promise<TokensDto> {
    return isRefreshGrant(form) ? this.sessions.refresh(form, client) : this.login(form, client);
  }

  /**
   * Opens a session. @throws AppError `invalid_credentials` for a wrong password and, after the same time, for an
   * unknown email; `rate_limited` after too many of these; `overloaded`
   */
  async login(form: LoginDto, client: Client): Promise<TokensDto> {
    const email = loginName(form);
    // Before the first query: under a flood of logins most are refused here, without using the database.
    this.passwords.assertRoom();
    const user = await this.users.findForLogin(email);
    const attempt = {
      // The prefixes keep an email that looks like an id out of that account's counters.
      account: user ? `user:${user.id}` : `email:${email}`,
      address: client.address,
      isKnown: () => this.sessions.isUsedFrom(user?.id ?? 0, client.address),
    };
    return this.throttle.attempt(attempt, () => this.checkAndOpen(user, form, client));
  }

  /**
   * Ends all other sessions of the user.
   * @throws AppError `validation_failed` when the current password is wrong; `overloaded`
   */
  async changePassword(principal: Principal, form: ChangePasswordDto): Promise<void> {
    const { userId } = principal;
    const current = await this.users.passwordHash(userId);
    const right = await this.passwords.verify(current, form.current_password);
    if (!right) throw wrongPassword('current_password');
    const next = await this.passwords.hash(form.new_password);
    const changed = await this.unitOfWork.run(async () => {
      if (!(await this.users.changePassword(userId, current, next))) return false;
      await this.sessions.endOthers(principal, 'password');
      return true;
    });
    // The hash has changed meanwhile: check `current_password` against the new one.
    if (!changed) return this.changePassword(principal, form);
    this.logger.log({ event: 'password.changed', user_id: userId });
  }

  /**
   * Closes the account for good and ends all its sessions.
   * @throws AppError `validation_failed` when the password is wrong
   */
  async closeAccount(userId: number, password: string): Promise<void> {
    const hash = await this.users.passwordHash(userId);
    const right = await this.passwords.verify(hash, password);
    if (!right) throw wrongPassword('password');
    const closed = await this.unitOfWork.run(async () => {
      if (!(await this.users.close(userId, hash))) return false;
      await this.sessions.endAll(userId);
      return true;
    });
    // The hash has changed meanwhile, maybe to another hash of the same password (a rehash at login).
    if (!closed) return this.closeAccount(userId, password);
    this.logger.log({ event: 'account.closed', user_id: userId });
  }

  /** @throws AppError `unauthorized` when the account is gone */
  me(userId: number): Promise<AccountDto> {
    return this.users.account(userId);
  }

  private async checkAndOpen(user: User | null, form: LoginDto, client: Client): Promise<TokensDto> {
    const right = await this.passwords.verify(user?.passwordHash ?? undefined, form.password);
    if (!user || !right) {
      this.logger.warn({ event: 'login.failed', user_id: user?.id });
      throw new AppError('invalid_credentials');
    }
    const session = await this.openSession(user, client);
    // The hash has changed meanwhile, maybe to another hash of the same password (a rehash at login).
    if (!session) return this.checkAndOpen(await this.users.findForLogin(loginName(form)), form, client);
    this.logger.log({ event: 'login', user_id: user.id, session_id: session.sessionId });
    await this.rehashIfOutdated(user, form.password);
    return session.tokens;
  }

  /**
   * Undefined when the hash has changed since it was checked. A password change ends the sessions that exist at that
   * moment; without this check a login with the old password could add one after it.
   */
  private openSession({ id, passwordHash }: User, client: Client): Promise<OpenedSession | undefined> {
    return this.unitOfWork.run(async () => {
      const unchanged = await this.users.lockPassword(id, passwordHash!);
      return unchanged ? this.sessions.open(id, client) : undefined;
    });
  }

  /**
   * Replaces a hash made with older argon2 parameters. Only a login has the password this needs. A failure is logged
   * and doesn't fail the login: the next login tries again.
   */
  private async rehashIfOutdated({ id, passwordHash }: User, password: string): Promise<void> {
    if (!passwordHash || !this.passwords.isOutdated(passwordHash)) return;
    try {
      const renewed = await this.users.changePassword(id, passwordHash, await this.passwords.hash(password));
      if (renewed) this.logger.log({ event: 'password.rehashed', user_id: id });
    } catch (err) {
      this.logger.warn({ err, event: 'password.not_rehashed', user_id: id });
    }
  }
}

const wrongPassword = (field: string): AppError => AppError.invalidField(field, 'is not your password');

/** The email to log in with: `username`, or `email` in its place. @throws AppError `validation_failed` */
function loginName({ username, email }: LoginDto): string {
  const name = username ?? email;
  if (name === undefined) throw AppError.invalidField('username', 'is required');
  if (email !== undefined && email !== name) throw AppError.invalidField('email', 'must be the same as username');
  return name;
}
