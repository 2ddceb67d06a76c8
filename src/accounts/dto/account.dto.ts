import { ApiProperty } from '@nestjs/swagger';
import type { ChatType, Membership, Role } from '../../contract/chats.js';
import { PasswordField } from '../../common/validation/fields.js';
import { SessionDto } from '../../auth/dto/session.dto.js';
import { MessageDto } from '../../chats/dto/message.dto.js';
import type { MembershipRow } from '../../chats/dto/chat.dto.js';
import { AccountDto, UserDto } from '../../users/dto/user.dto.js';

/** The body of `DELETE /users/me`. */
export class CloseAccountDto {
  @PasswordField({ description: 'Your password.' })
  password: string;
}

/** A chat that the account is in. It holds nothing that others have written. */
export class MembershipDto implements Membership {
  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  chat_id: number;

  @ApiProperty({ enum: ['private', 'group'] })
  type: ChatType;

  @ApiProperty({ example: 'Analytical engines' })
  name: string;

  @ApiProperty({ enum: ['owner', 'admin', 'member'], enumName: 'Role' })
  role: Role;

  @ApiProperty({ format: 'date-time', example: '2025-04-08T12:00:00.000Z' })
  joined_at: string;

  @ApiProperty({ type: 'integer', format: 'int64', example: 17 })
  last_read_seq: number;

  static of({ chat_id, type, name, role, joined_at, last_read_seq }: MembershipRow): MembershipDto {
    return { chat_id, type, name, role, joined_at: joined_at.toISOString(), last_read_seq };
  }
}

/** The export: all that is stored about a person. */
export class ExportDto {
  @ApiProperty({ type: AccountDto })
  account: AccountDto;

  @ApiProperty({ type: [SessionDto] })
  sessions: SessionDto[];

  @ApiProperty({ type: [UserDto], description: 'Whom you have blocked.' })
  blocked: UserDto[];

  @ApiProperty({ type: [MembershipDto], description: 'The chats you are in, by id.' })
  chats: MembershipDto[];

  @ApiProperty({
    type: [MessageDto],
    description:
      'What you have written, also in groups you have left, by chat and `seq`. `is_read` is that of the moment.',
  })
  messages: MessageDto[];
}
