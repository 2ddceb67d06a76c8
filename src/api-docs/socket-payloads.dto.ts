import { ApiProperty } from '@nestjs/swagger';
import { MemberDto } from '../chats/dto/member.dto.js';
import { ErrorCodeProperty, FieldErrorDto } from '../common/http/api-problems.decorator.js';
import type { ChatSummary, MemberChange, MembershipChange } from '../contract/chats.js';
import type { CommandError, ErrorCode } from '../contract/errors.js';
import type { Answer, ServerToClientEvents } from '../contract/events.js';

/** What only sockets carry, for the AsyncAPI document. The code uses the types of the contract. */

type PayloadOf<E extends keyof ServerToClientEvents> = Parameters<ServerToClientEvents[E]>[0];

const Id = (description: string, example: number): PropertyDecorator =>
  ApiProperty({ type: 'integer', format: 'int64', minimum: 1, description, example });

const ChangeSeq = (): PropertyDecorator =>
  ApiProperty({ type: 'integer', format: 'int64', minimum: 1, description: 'The number of the change.', example: 5 });

/** The payload of `chat:updated`. */
export class ChatSummaryDto implements ChatSummary {
  @Id('The group.', 1)
  id: number;

  @ChangeSeq()
  change_seq: number;

  @ApiProperty({ example: 'Analytical engines' })
  name: string;

  @Id('Who made it.', 2)
  creator_id: number;

  @ApiProperty({ type: 'integer', example: 3 })
  member_count: number;
}

/** The payload of `chat:removed`. */
export class ChatRemovedDto implements PayloadOf<'chat:removed'> {
  @Id('The chat that is gone for this user.', 1)
  chat_id: number;
}

/** The payload of `member:updated`. */
export class MemberChangeDto implements MemberChange {
  @Id('The chat.', 1)
  chat_id: number;

  @ChangeSeq()
  change_seq: number;

  @ApiProperty({ type: MemberDto })
  member: MemberDto;
}

/** The payload of `member:added` and `member:removed`. */
export class MembershipChangeDto extends MemberChangeDto implements MembershipChange {
  @ApiProperty({ type: 'integer', description: 'How many members the group has now.', example: 3 })
  member_count: number;
}

/** The payload of the event `typing`. */
export class TypingDto implements PayloadOf<'typing'> {
  @Id('The chat.', 1)
  chat_id: number;

  @Id('Who types.', 2)
  user_id: number;

  @ApiProperty({ example: true })
  is_typing: boolean;
}

/** The payload of `server:draining`. */
export class DrainingDto implements PayloadOf<'server:draining'> {
  @ApiProperty({
    type: 'integer',
    description: 'How long to wait, after the connection has closed, before connecting again.',
    example: 1_250,
  })
  reconnect_in_ms: number;
}

type Refreshed = Answer<'auth:refresh'>['data'];

/** The data of the answer to `auth:refresh`. */
export class RefreshedDto implements Refreshed {
  @ApiProperty({
    type: 'integer',
    description: 'How long the new access token is still good, in seconds.',
    example: 900,
  })
  expires_in: number;
}

/** The error in a negative ack, in `connect_error` and in an error frame. */
export class CommandErrorDto implements CommandError {
  @ErrorCodeProperty()
  code: ErrorCode;

  @ApiProperty({ description: 'For people.', example: 'Not valid: text.' })
  message: string;

  @ApiProperty({ description: 'Whether the same command may be sent again, with the same key.', example: false })
  retryable: boolean;

  @ApiProperty({
    type: 'integer',
    required: false,
    description: 'Of `rate_limited`: in how many milliseconds it may be sent again.',
    example: 1_500,
  })
  retry_after_ms?: number;

  @ApiProperty({ type: [FieldErrorDto], required: false, description: 'Of `validation_failed`: the wrong fields.' })
  errors?: FieldErrorDto[];
}
