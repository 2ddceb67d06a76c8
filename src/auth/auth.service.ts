import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../common/app-error.js';
import type { AccountDto } from '../users/dto/user.dto.js';
import { UsersService } from '../users/users.service.js';
import type { Client } from './client.js';
import type { LoginDto, RegisterDto, TokenDto } from './dto/auth.dto.js';
import { PasswordsService } from './passwords.service.js';
import { SessionsService } from './sessions.service.js';

@Injectable()
export class AuthService {
  private readonly logger = new Logger(AuthService.name);

  constructor(
    private readonly users: UsersService,
    private readonly passwords: PasswordsService,
    private readonly sessions: SessionsService,
  ) {}

  /** @throws AppError `email_taken` */
  async register({ name, email, password }: RegisterDto): Promise<AccountDto> {
    return this.users.register({ name, email, passwordHash: await this.passwords.hash(password) });
  }

  /** Opens a session. @throws AppError `invalid_credentials`, the same and after the same time for an unknown email */
  async login(form: LoginDto, client: Client): Promise<TokenDto> {
    const user = await this.users.findForLogin(loginName(form));
    const right = await this.passwords.verify(user?.passwordHash, form.password);
    const session = user && right ? await this.sessions.open(user.id, client) : undefined;
    if (!session) {
      this.logger.warn({ event: 'login.failed', user_id: user?.id });
      throw new AppError('invalid_credentials');
    }
    this.logger.log({ event: 'login', user_id: user!.id, session_id: session.sessionId });
    return session.tokens;
  }

  /** @throws AppError `unauthorized` when the account is gone */
  me(userId: number): Promise<AccountDto> {
    return this.users.account(userId);
  }
}

function loginName({ username, email }: LoginDto): string {
  const name = username ?? email;
  if (name === undefined) throw AppError.invalidField('username', 'is required');
  if (email !== undefined && email !== name) throw AppError.invalidField('email', 'must be the same as username');
  return name;
}
