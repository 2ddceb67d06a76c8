import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import {
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { CurrentPrincipal, CurrentUserId, type Principal } from '../common/principal.js';
import { Public } from '../common/http/public.decorator.js';
import { RateLimit } from '../limits/rate-limit.decorator.js';
import { AccountDto } from '../users/dto/user.dto.js';
import { AuthService } from './auth.service.js';
import { type Client, CurrentClient } from './client.js';
import { LoginDto, ChangePasswordDto, RegisterDto, TokensDto } from './dto/auth.dto.js';

/** Registration, login, the password and the caller's own account over HTTP. `SessionsController` has the sessions. */
@ApiTags('auth')
@Controller()
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @Public()
  @RateLimit('registrations')
  @Post(['auth/register', 'register'])
  @ApiOperation({
    summary: 'Make an account',
    description:
      'It opens no session: log in next. The email is unique whatever its case; the password is none of the commonest. ' +
      '`email_taken`: somebody has an account with this email.',
  })
  @ApiCreatedResponse({ type: AccountDto })
  @ApiProblems('validation_failed', 'email_taken', 'overloaded')
  register(@Body() body: RegisterDto): Promise<AccountDto> {
    return this.auth.register(body);
  }

  @Public()
  @RateLimit('logins')
  @Post(['auth/login', 'login'])
  @HttpCode(200)
  @RouteConfig({ acceptsForm: true })
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiOperation({
    summary: 'Open a session',
    description:
      'The password grant of OAuth 2 as a form; JSON with the same fields is accepted, too. `username` is the email; `email` ' +
      'is another name for it, and one of the two must be given. `scope`, `client_id` and `client_secret` are ignored. ' +
      '`invalid_credentials`: the email or the password is wrong. After several wrong passwords in a row an account and an ' +
      'address have to wait longer and longer: `rate_limited`.',
  })
  @ApiOkResponse({ type: TokensDto })
  @ApiProblems('validation_failed', 'invalid_credentials', 'overloaded')
  login(@Body() body: LoginDto, @CurrentClient() client: Client): Promise<TokensDto> {
    return this.auth.login(body, client);
  }

  @RateLimit('passwords', { by: 'session' })
  @Post('auth/password')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Change your password; ends all your other sessions',
    description: 'A wrong `current_password` is a `validation_failed` that names it: the token is good.',
  })
  @ApiNoContentResponse()
  @ApiProblems('validation_failed', 'overloaded')
  changePassword(@CurrentPrincipal() principal: Principal, @Body() body: ChangePasswordDto): Promise<void> {
    return this.auth.changePassword(principal, body);
  }

  @Get('auth/me')
  @ApiOperation({
    summary: 'Your own account',
    description: 'The person that the access token belongs to.',
  })
  @ApiOkResponse({ type: AccountDto })
  getMe(@CurrentUserId() userId: number): Promise<AccountDto> {
    return this.auth.me(userId);
  }
}
