import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';
import type { Principal } from '../common/principal.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { AccountDto } from '../users/dto/user.dto.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { Client } from './client.js';
import type { LoginDto, PasswordDto, RegisterDto, TokenDto } from './dto/auth.dto.js';
import { LoginThrottle } from './login.throttle.js';
import { PasswordsService } from './passwords.service.js';
import { type OpenedSession, SessionsService } from './sessions.service.js';

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

  /**
   * Opens a session. @throws AppError `invalid_credentials`, the same and after the same time for an unknown email;
   * `rate_limited` after too many of those, `overloaded`
   */
  async login(form: LoginDto, client: Client): Promise<TokenDto> {
    const email = loginName(form);
    // First of all: in a storm most are refused, and the database needn't be asked for that.
    this.passwords.assertRoom();
    const user = await this.users.findForLogin(email);
    const guess = {
      account: user ? `user:${user.id}` : email,
      address: client.address,
      isKnown: () => this.sessions.isUsedFrom(user?.id ?? 0, client.address),
    };
    return this.throttle.attempt(guess, () => this.enter(user, form, client));
  }

  /** Ends all other sessions of the user. @throws AppError `validation_failed` when the current password is wrong; `overloaded` */
  async changePassword(principal: Principal, form: PasswordDto): Promise<void> {
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
    if (!changed) return this.changePassword(principal, form);
    this.logger.log({ event: 'password.changed', user_id: userId });
  }

  /** Closes the account for good and ends all its sessions. @throws AppError `validation_failed` when the password is wrong */
  async closeAccount(userId: number, password: string): Promise<void> {
    const hash = await this.users.passwordHash(userId);
    const right = await this.passwords.verify(hash, password);
    if (!right) throw wrongPassword('password');
    const closed = await this.unitOfWork.run(async () => {
      if (!(await this.users.close(userId, hash))) return false;
      await this.sessions.endAll(userId);
      return true;
    });
    // The hash is another one by now, maybe of the same password.
    if (!closed) return this.closeAccount(userId, password);
    this.logger.log({ event: 'account.closed', user_id: userId });
  }

  /** @throws AppError `unauthorized` when the account is gone */
  me(userId: number): Promise<AccountDto> {
    return this.users.account(userId);
  }

  private async enter(user: User | null, form: LoginDto, client: Client): Promise<TokenDto> {
    const right = await this.passwords.verify(user?.passwordHash ?? undefined, form.password);
    if (!user || !right) {
      this.logger.warn({ event: 'login.failed', user_id: user?.id });
      throw new AppError('invalid_credentials');
    }
    const session = await this.openSession(user, client);
    // The hash is another one by now, maybe of the same password.
    if (!session) return this.enter(await this.users.findForLogin(loginName(form)), form, client);
    this.logger.log({ event: 'login', user_id: user.id, session_id: session.sessionId });
    await this.renewHash(user, form.password);
    return session.tokens;
  }

  /** Undefined when the hash has changed since it was looked at: a change of password ended only the sessions there were. */
  private openSession({ id, passwordHash }: User, client: Client): Promise<OpenedSession | undefined> {
    return this.unitOfWork.run(async () => {
      const unchanged = await this.users.lockPassword(id, passwordHash!);
      return unchanged ? this.sessions.open(id, client) : undefined;
    });
  }

  /** Only a login has the password that a hash of today's parameters needs. It can wait for the next one. */
  private async renewHash({ id, passwordHash }: User, password: string): Promise<void> {
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

function loginName({ username, email }: LoginDto): string {
  const name = username ?? email;
  if (name === undefined) throw AppError.invalidField('username', 'is required');
  if (email !== undefined && email !== name) throw AppError.invalidField('email', 'must be the same as username');
  return name;
}
