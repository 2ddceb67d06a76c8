import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../common/app-error.js';
import type { Principal } from '../common/principal.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { AccountDto } from '../users/dto/user.dto.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import type { Client } from './client.js';
import type { LoginDto, PasswordDto, RegisterDto, TokenDto } from './dto/auth.dto.js';
import { PasswordsService } from './passwords.service.js';
import { type OpenedSession, SessionsService } from './sessions.service.js';

@Injectable()
export class AuthService {
  private readonly logger = new Logger(AuthService.name);

  constructor(
    private readonly users: UsersService,
    private readonly passwords: PasswordsService,
    private readonly sessions: SessionsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** @throws AppError `email_taken` */
  async register({ name, email, password }: RegisterDto): Promise<AccountDto> {
    return this.users.register({ name, email, passwordHash: await this.passwords.hash(password) });
  }

  /** Opens a session. @throws AppError `invalid_credentials`, the same and after the same time for an unknown email */
  async login(form: LoginDto, client: Client): Promise<TokenDto> {
    const user = await this.users.findForLogin(loginName(form));
    const right = await this.passwords.verify(user?.passwordHash ?? undefined, form.password);
    const session = user && right ? await this.openSession(user, client) : undefined;
    if (!session) {
      this.logger.warn({ event: 'login.failed', user_id: user?.id });
      throw new AppError('invalid_credentials');
    }
    this.logger.log({ event: 'login', user_id: user!.id, session_id: session.sessionId });
    return session.tokens;
  }

  /** Ends all other sessions of the user. @throws AppError `validation_failed` when the current password is wrong */
  async changePassword(principal: Principal, form: PasswordDto): Promise<void> {
    const { userId } = principal;
    const current = await this.users.passwordHash(userId);
    const right = await this.passwords.verify(current, form.current_password);
    if (!right) throw wrongPassword();
    const next = await this.passwords.hash(form.new_password);
    await this.unitOfWork.run(async () => {
      if (!(await this.users.changePassword(userId, current, next))) throw wrongPassword();
      await this.sessions.endOthers(principal, 'password');
    });
    this.logger.log({ event: 'password.changed', user_id: userId });
  }

  /** Closes the account for good and ends all its sessions. @throws AppError `validation_failed` when the password is wrong */
  async closeAccount(userId: number, password: string): Promise<void> {
    const hash = await this.users.passwordHash(userId);
    const right = await this.passwords.verify(hash, password);
    if (!right) throw wrongPassword('password');
    await this.unitOfWork.run(async () => {
      if (!(await this.users.close(userId, hash))) throw wrongPassword('password');
      await this.sessions.endAll(userId);
    });
    this.logger.log({ event: 'account.closed', user_id: userId });
  }

  /** @throws AppError `unauthorized` when the account is gone */
  me(userId: number): Promise<AccountDto> {
    return this.users.account(userId);
  }

  /** Undefined when the password has changed since it was looked at: the change ended only the sessions there were. */
  private openSession({ id, passwordHash }: User, client: Client): Promise<OpenedSession | undefined> {
    return this.unitOfWork.run(async () => {
      const unchanged = await this.users.holdPassword(id, passwordHash!);
      return unchanged ? this.sessions.open(id, client) : undefined;
    });
  }
}

const wrongPassword = (field = 'current_password'): AppError => AppError.invalidField(field, 'is not your password');

function loginName({ username, email }: LoginDto): string {
  const name = username ?? email;
  if (name === undefined) throw AppError.invalidField('username', 'is required');
  if (email !== undefined && email !== name) throw AppError.invalidField('email', 'must be the same as username');
  return name;
}
