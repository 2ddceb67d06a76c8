import { ApiProperty } from '@nestjs/swagger';
import type { Refresh, Session as SessionShape } from '../../contract/users.js';
import { KeyField, TextField } from '../../common/validation/fields.js';
import type { Session } from '../session.entity.js';

export const REFRESH_TOKEN_EXAMPLE = 'Zq1m3nZ0X5kYwq0cW8eK7dJtQb2uR4sV6yA9fGhPpL0iMnBcXzAsDfGhJkLqWeRt';

/** The body of `POST /auth/refresh`. */
export class RefreshDto implements Refresh {
  @TextField({
    description: 'From the login or from the latest refresh.',
    example: REFRESH_TOKEN_EXAMPLE,
    min: 1,
    max: 1_000,
  })
  refresh_token: string;

  @KeyField({
    description:
      'Made by the client, a new one for each refresh token, and kept before it is sent. The same two get the same next ' +
      'refresh token until that one is used, however late.',
    example: 'unique-1744111111111',
    optional: true,
  })
  client_refresh_id?: string;
}

/** A session, which is one login on one device, as its user sees it. */
export class SessionDto implements SessionShape {
  @ApiProperty({ format: 'uuid', example: '7c0b3f5e-52a4-8d1c-9b7e-2f4a6c8e0d13' })
  id: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'How the client named itself when the session was last used, the first 200 characters.',
    example: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  })
  user_agent: string | null;

  @ApiProperty({
    description: 'The IP address the session was last used from; behind a proxy, that of the proxy.',
    example: '192.0.2.7',
  })
  address: string;

  @ApiProperty({ format: 'date-time', description: 'The login.', example: '2025-04-08T12:00:00.000Z' })
  created_at: string;

  @ApiProperty({
    format: 'date-time',
    description: 'The login, or the latest refresh.',
    example: '2025-04-08T12:15:00.000Z',
  })
  last_used_at: string;

  @ApiProperty({ description: 'Whether it is the session of the request.', example: true })
  current: boolean;

  static of({ id, userAgent, address, createdAt, lastUsedAt }: Session, currentId: string): SessionDto {
    return {
      id,
      user_agent: userAgent,
      address,
      created_at: createdAt.toISOString(),
      last_used_at: lastUsedAt.toISOString(),
      current: id === currentId,
    };
  }
}
