import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsEmail, IsIn } from 'class-validator';
import type { Tokens } from '../../contract/users.js';
import { NameField, NewPasswordField, PasswordField, rule, TextField } from '../../common/validation/fields.js';
import { InForm } from '../../common/validation/text-form.js';
import { canonicalEmail } from '../../users/email.js';
import { isCommonPassword } from '../common-passwords.js';
import { REFRESH_TOKEN_EXAMPLE } from './session.dto.js';

/** The field of a new password, for a registration and a password change. */
const UncommonPasswordField = (): PropertyDecorator =>
  applyDecorators(
    NewPasswordField({ description: 'None of the commonest passwords. Kept as an argon2id hash.' }),
    rule(
      'uncommon',
      (value) => typeof value !== 'string' || !isCommonPassword(value),
      'must not be one of the commonest passwords',
    ),
  );

/** A parameter of OAuth 2 that a client may send, and nothing depends on. */
export const IgnoredField = (): PropertyDecorator => TextField({ example: '', min: 0, max: 1_000, optional: true });

/** The body of `POST /auth/register`. */
export class RegisterDto {
  @NameField({ description: 'What others see.', example: 'Ada Lovelace' })
  name: string;

  @InForm(canonicalEmail)
  @TextField({
    description: 'Unique whatever its case.',
    example: 'ada@example.com',
    min: 3,
    max: 254,
    format: 'idn-email',
    pattern: '^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$',
  })
  @IsEmail({}, { message: 'must be an email address' })
  email: string;

  @UncommonPasswordField()
  password: string;
}

/** The body of `POST /auth/password`. */
export class ChangePasswordDto {
  @PasswordField()
  current_password: string;

  @UncommonPasswordField()
  new_password: string;
}

/**
 * The form of the OAuth 2 password grant, or JSON with the same fields; `email` is accepted in place of `username`. The
 * grant's other parameters are accepted because generic OAuth 2 clients send them, and ignored.
 */
export class LoginDto {
  @InForm(canonicalEmail)
  @TextField({ description: 'The email.', example: 'ada@example.com', min: 1, max: 254, optional: true })
  username?: string;

  @InForm(canonicalEmail)
  @TextField({
    description: 'Another name for `username`.',
    example: 'ada@example.com',
    min: 1,
    max: 254,
    optional: true,
  })
  email?: string;

  @PasswordField()
  password: string;

  @TextField({ example: 'password', min: 0, max: 20, optional: true })
  @IsIn(['password', ''], { message: 'must be password or refresh_token' })
  grant_type?: string;

  @IgnoredField()
  scope?: string;

  @IgnoredField()
  client_id?: string;

  @IgnoredField()
  client_secret?: string;
}

/** The answer to a login and to a refresh. */
export class TokensDto implements Tokens {
  @ApiProperty({
    description: 'Goes into `Authorization: Bearer …` and into the handshake of a socket.',
    example: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
  })
  access_token: string;

  @ApiProperty({ enum: ['bearer'] })
  token_type: 'bearer';

  @ApiProperty({ type: 'integer', description: 'The life of the access token in seconds.', example: 900 })
  expires_in: number;

  @ApiProperty({
    description:
      'Opaque. Good for the next tokens, from `POST /auth/refresh` or the token URL of OAuth 2; keep it as you would a password.',
    example: REFRESH_TOKEN_EXAMPLE,
  })
  refresh_token: string;
}
