import { ApiProperty } from '@nestjs/swagger';
import type { Member, Role } from '../../contract/chats.js';

/** A row of `chat_members` with the name of the user. */
export interface MemberRow {
  user_id: number;
  name: string;
  role: Role;
  joined_at: Date;
  last_read_seq: number;
}

/** Who has joined, changed or left in a chat since some `change_seq`. */
export interface MemberChanges {
  readonly chat_id: number;
  readonly members: readonly MemberRow[];
  readonly left_user_ids: number[];
}

/** A `MemberRow` inside a column of JSON, where a time is text. */
export type JsonMemberRow = Omit<MemberRow, 'joined_at'> & { joined_at: string };

export const memberRowOf = (row: JsonMemberRow): MemberRow => ({ ...row, joined_at: new Date(row.joined_at) });

/**
 * SQL: a page of the members of a chat in the order they joined, with their names. `chat` is its id, `where` a further
 * condition on the membership `m`. The names are looked up for the page alone.
 */
export const memberPage = (chat: string, limit: string, offset: string, where = 'true'): string => `
  SELECT p.user_id, u.name, p.role, p.joined_at, p.last_read_seq
  FROM (
    SELECT m.* FROM chat_members m WHERE m.chat_id = ${chat} AND ${where}
    ORDER BY m.joined_at, m.user_id LIMIT ${limit} OFFSET ${offset}
  ) p CROSS JOIN LATERAL (SELECT name FROM users WHERE id = p.user_id LIMIT 1) u
  ORDER BY p.joined_at, p.user_id`;

/** A member of a chat, as the other members see them. */
export class MemberDto implements Member {
  @ApiProperty({ type: 'integer', format: 'int64', example: 2 })
  user_id: number;

  @ApiProperty({ example: 'Ada Lovelace' })
  name: string;

  @ApiProperty({ enum: ['owner', 'admin', 'member'], enumName: 'Role' })
  role: Role;

  @ApiProperty({ format: 'date-time', example: '2025-04-08T12:00:00.000Z' })
  joined_at: string;

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    description: 'They have read all messages up to this `seq`.',
    example: 15,
  })
  last_read_seq: number;

  static of({ user_id, name, role, joined_at, last_read_seq }: MemberRow): MemberDto {
    return { user_id, name, role, joined_at: joined_at.toISOString(), last_read_seq };
  }
}
