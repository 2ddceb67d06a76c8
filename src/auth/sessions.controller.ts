import { Body, Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { ApiUuid, UuidParam } from '../common/http/uuid-param.js';
import { CurrentPrincipal, CurrentUserId, type Principal } from '../common/principal.js';
import { Public } from '../common/http/public.decorator.js';
import { RateLimit } from '../limits/rate-limit.decorator.js';
import { type Client, CurrentClient } from './client.js';
import { TokensDto } from './dto/auth.dto.js';
import { RefreshDto, SessionDto } from './dto/session.dto.js';
import { SessionsService } from './sessions.service.js';

/** Refreshing, listing and ending sessions over HTTP. `AuthController` opens them. */
@ApiTags('auth')
@Controller('auth')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Public()
  @RateLimit('refreshes')
  @Post('refresh')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Get the next tokens of a session',
    description:
      'When the answer was lost, send the same again: it gets the same new refresh token, and an access token that is ' +
      'good for its full time, until the new refresh token is used. Without the same `client_refresh_id` it does so ' +
      'for a minute. An old refresh token that is used later ends the session, as somebody must have copied it. ' +
      '`unauthorized`: log in again.',
  })
  @ApiOkResponse({ type: TokensDto })
  @ApiProblems('validation_failed', 'unauthorized')
  refresh(@Body() body: RefreshDto, @CurrentClient() client: Client): Promise<TokensDto> {
    return this.sessions.refresh(body, client);
  }

  @Post('logout')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End this session',
    description: 'Its tokens are refused and its sockets cut, on every node within a second.',
  })
  @ApiNoContentResponse()
  logout(@CurrentPrincipal() principal: Principal): Promise<void> {
    return this.sessions.logout(principal);
  }

  @Get('sessions')
  @ApiOperation({
    summary: 'Your sessions, latest use first',
    description: 'A session is one login on one device. `current` marks that of this request.',
  })
  @ApiOkResponse({ type: [SessionDto] })
  listSessions(@CurrentPrincipal() principal: Principal): Promise<SessionDto[]> {
    return this.sessions.list(principal);
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End one of your sessions',
    description:
      'Its tokens are refused and its sockets cut, on every node within a second. `not_found`: you have no session with ' +
      'this id.',
  })
  @ApiUuid('id')
  @ApiNoContentResponse()
  @ApiProblems('validation_failed', 'not_found')
  removeSession(@CurrentUserId() userId: number, @UuidParam('id') id: string): Promise<void> {
    return this.sessions.remove(userId, id);
  }

  @Delete('sessions')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End all your sessions but this one',
    description: 'Their tokens are refused and their sockets cut, on every node within a second.',
  })
  @ApiNoContentResponse()
  endOtherSessions(@CurrentPrincipal() principal: Principal): Promise<void> {
    return this.sessions.endOthers(principal);
  }
}
