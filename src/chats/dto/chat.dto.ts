import { ApiProperty } from '@nestjs/swagger';
import type { Chat, ChatType, ChatWithMembers, NewGroup, Role } from '../../contract/chats.js';
import { UserDto } from '../../users/dto/user.dto.js';
import type { User } from '../../users/user.entity.js';
import { MemberDto } from './member.dto.js';
import { MessageDto, type MessageRow } from './message.dto.js';

/** A chat and one member's role and cursor in it, as `ChatsRepository` reads them. */
export interface ChatRow {
  id: number;
  type: ChatType;
  name: string;
  peer: Pick<User, 'id' | 'name' | 'createdAt'> | null;
  creator_id: number;
  created_at: Date;
  member_count: number;
  my_role: Role;
  my_user_id: number;
  last_seq: number;
  last_change_seq: number;
  last_read_seq: number;
  read_by_all_seq: number;
  active_at: Date;
  last_message: MessageRow | null;
}

/** Somebody's membership with the name and type of the chat, for the export of an account. */
export interface MembershipRow {
  readonly chat_id: number;
  readonly type: ChatType;
  readonly name: string;
  readonly role: Role;
  readonly joined_at: Date;
  readonly last_read_seq: number;
}

const Counter = (description: string, example: number): PropertyDecorator =>
  ApiProperty({ type: 'integer', format: 'int64', description, example });

/** A chat as one member sees it. */
export class ChatDto implements Chat {
  @Counter('Serves `/chats/{id}` and, for a group, `/groups/{id}`.', 1)
  id: number;

  @ApiProperty({ enum: ['private', 'group'], enumName: 'ChatType' })
  type: ChatType;

  @ApiProperty({ description: 'A private chat has the name of its `peer`.', example: 'Analytical engines' })
  name: string;

  @ApiProperty({
    type: UserDto,
    nullable: true,
    description: 'The other person of a private chat, and you yourself in a chat with yourself; null in a group.',
  })
  peer: UserDto | null;

  @Counter('Who made it.', 2)
  creator_id: number;

  @ApiProperty({ format: 'date-time', example: '2025-04-08T12:00:00.000Z' })
  created_at: string;

  @ApiProperty({ type: 'integer', example: 3 })
  member_count: number;

  @ApiProperty({ enum: ['owner', 'admin', 'member'], enumName: 'Role' })
  my_role: Role;

  @Counter('The `seq` of the newest message; 0 in an empty chat.', 17)
  last_seq: number;

  @Counter('The newest `change_seq`.', 4)
  last_change_seq: number;

  @Counter('Your cursor: you have read all messages up to this `seq`.', 15)
  last_read_seq: number;

  @Counter('Every member has read all messages up to this `seq`.', 12)
  read_by_all_seq: number;

  @Counter('`last_seq - last_read_seq`', 2)
  unread_count: number;

  @ApiProperty({ type: MessageDto, nullable: true })
  last_message: MessageDto | null;

  @ApiProperty({ description: 'For `?before=` of the next page of chats; opaque.', example: '1744113600000-1' })
  activity_cursor: string;

  static of(row: ChatRow): ChatDto {
    return {
      id: row.id,
      type: row.type,
      name: row.name,
      peer: row.peer && UserDto.of(row.peer),
      creator_id: row.creator_id,
      created_at: row.created_at.toISOString(),
      member_count: row.member_count,
      my_role: row.my_role,
      last_seq: row.last_seq,
      last_change_seq: row.last_change_seq,
      last_read_seq: row.last_read_seq,
      read_by_all_seq: row.read_by_all_seq,
      unread_count: row.last_seq - row.last_read_seq,
      last_message: row.last_message && MessageDto.of(row.last_message, row.read_by_all_seq),
      activity_cursor: `${row.active_at.getTime()}-${row.id}`,
    };
  }
}

/** A group that was just made. */
export class NewGroupDto extends ChatDto implements NewGroup {
  @ApiProperty({
    type: 'array',
    items: { type: 'integer', format: 'int64' },
    required: false,
    description:
      "Whom you can't add: they have blocked you, don't allow it, or are in too many chats. Only when there is somebody.",
    example: [3],
  })
  left_out_ids?: number[];
}

/** A chat with its first members. */
export class ChatWithMembersDto extends ChatDto implements ChatWithMembers {
  @ApiProperty({ type: [MemberDto], description: 'The first 100; `/chats/{id}/members` has the rest.' })
  members: MemberDto[];
}
