import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { IdField, IdListField, NameField, PatternField } from '../../common/validation/fields.js';
import { LimitQuery, MAX_PAGE, OffsetQuery } from '../../common/pagination.js';

/** Inputs of the routes that make and list chats. */

/** Members that a new group can start with, besides its owner. */
const MAX_NEW_MEMBERS = 500;

/** The body of `POST /groups`. */
export class CreateGroupDto {
  @NameField({ description: 'The name of the group.', example: 'Analytical engines' })
  name: string;

  @IdListField({ description: 'Who is in it besides you.', example: [2, 3], max: MAX_NEW_MEMBERS, optional: true })
  member_ids?: number[];
}

/** The body of `POST /chats` with `type: 'group'`. */
export class CreateGroupChatDto extends CreateGroupDto {
  @ApiProperty({ enum: ['group'] })
  @IsIn(['group'], { message: 'must be private or group' })
  type: 'group';
}

/** The body of `POST /chats` with `type: 'private'`. */
export class CreatePrivateChatDto {
  @ApiProperty({ enum: ['private'] })
  @IsIn(['private'], { message: 'must be private or group' })
  type: 'private';

  @IdField({ description: 'The other person, or you yourself, for notes.', example: 2 })
  user_id: number;
}

/** The schema of the body of `POST /chats`. It has a name, as many generators make no type of a union without one. */
export const CREATE_CHAT = {
  oneOf: [{ $ref: getSchemaPath(CreatePrivateChatDto) }, { $ref: getSchemaPath(CreateGroupChatDto) }],
  discriminator: {
    propertyName: 'type',
    mapping: { private: getSchemaPath(CreatePrivateChatDto), group: getSchemaPath(CreateGroupChatDto) },
  },
};

/** The query string of `GET /chats`. */
export class ListChatsQuery {
  @LimitQuery(50)
  limit: number = 50;

  @PatternField({
    description: 'The `activity_cursor` of the last chat of the page before.',
    example: '1744113600000-1',
    pattern: /^\d{1,15}-[1-9]\d{0,15}$/,
    message: 'must be an activity_cursor',
    optional: true,
  })
  before?: string;
}

/** A page by offset, in a query string. */
export class PageQuery {
  @LimitQuery(MAX_PAGE)
  limit: number = MAX_PAGE;

  @OffsetQuery()
  offset: number = 0;
}
