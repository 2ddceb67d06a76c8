import { ApiProperty, IntersectionType, OmitType, PartialType } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import type { OAuthError } from '../../contract/errors.js';
import { IgnoredField, LoginDto } from './auth.dto.js';
import { RefreshDto } from './session.dto.js';

const REFRESH_GRANT = 'refresh_token';

/** Whether the body of a login, which may be anything, is that of a refresh. */
export const isRefreshGrant = (body: unknown): body is RefreshGrantDto =>
  (body as { grant_type?: unknown } | null | undefined)?.grant_type === REFRESH_GRANT;

/** The form of the OAuth 2 refresh grant, or JSON with the same fields. As in a login, some are ignored. */
export class RefreshGrantDto extends RefreshDto {
  @ApiProperty({ enum: [REFRESH_GRANT] })
  @IsIn([REFRESH_GRANT], { message: `must be ${REFRESH_GRANT}` })
  grant_type: typeof REFRESH_GRANT;

  @IgnoredField()
  scope?: string;

  @IgnoredField()
  client_id?: string;

  @IgnoredField()
  client_secret?: string;
}

/**
 * The fields of both grants, for the OpenAPI only: generators of clients know no alternatives of a form. `GrantPipe`
 * validates one grant or the other.
 */
export class GrantDto extends IntersectionType(
  PartialType(OmitType(LoginDto, ['grant_type'])),
  PartialType(OmitType(RefreshGrantDto, ['grant_type'])),
) {
  @ApiProperty({
    enum: ['password', REFRESH_GRANT],
    required: false,
    description:
      'A login without it is one by password. `refresh_token` takes the field of that name, and no password.',
    example: 'password',
  })
  grant_type?: 'password' | typeof REFRESH_GRANT;
}

const OAUTH_ERRORS: readonly OAuthError['error'][] = ['invalid_grant', 'invalid_request'];

/** An error of the refresh grant, as RFC 6749 (5.2) has it. */
export class OAuthErrorDto implements OAuthError {
  @ApiProperty({ enum: OAUTH_ERRORS, enumName: 'OAuthErrorCode' })
  error: OAuthError['error'];

  @ApiProperty({ description: 'For people.', example: 'The refresh token is not valid.' })
  error_description: string;
}
