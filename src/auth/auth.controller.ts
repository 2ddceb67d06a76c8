import { Body, Controller, Get, HttpCode, Post, UseFilters } from '@nestjs/common';
import {
  ApiBody,
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
import { ChangePasswordDto, LoginDto, RegisterDto, TokensDto } from './dto/auth.dto.js';
import { GrantDto, isRefreshGrant, RefreshGrantDto } from './dto/grant.dto.js';
import { GrantPipe } from './grant.pipe.js';
import { ApiOAuthErrors, OAuthErrorFilter } from './oauth-error.filter.js';

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
  @RateLimit('logins', { otherwise: (body) => (isRefreshGrant(body) ? 'refreshes' : undefined) })
  @UseFilters(OAuthErrorFilter)
  @Post(['auth/login', 'login'])
  @HttpCode(200)
  @RouteConfig({ acceptsForm: true })
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiBody({ type: GrantDto })
  @ApiOperation({
    summary: 'Open a session, or get its next tokens as OAuth 2 has it',
    description:
      'The token URL of OAuth 2. It takes a form; JSON with the same fields is accepted, too. `scope`, `client_id` and ' +
      '`client_secret` are ignored.\n\n' +
      '`grant_type` `password`, or none: `username` is the email; `email` is another name for it, and one of the two ' +
      'must be given with the `password`. `invalid_credentials`: the email or the password is wrong. After too many ' +
      'wrong passwords an account and an address have to wait: `rate_limited`.\n\n' +
      '`grant_type` `refresh_token`: what `POST /auth/refresh` does, and it counts as one. But what is refused has ' +
      'status 400 and the form of RFC 6749 (5.2): `invalid_grant` (log in again) or `invalid_request`. All other errors ' +
      'are problems, as everywhere.',
  })
  @ApiOkResponse({ type: TokensDto })
  @ApiProblems('invalid_credentials', 'overloaded')
  @ApiOAuthErrors()
  login(@Body(GrantPipe) body: LoginDto | RefreshGrantDto, @CurrentClient() client: Client): Promise<TokensDto> {
    return this.auth.grant(body, client);
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
