import { ApiProperty } from '@nestjs/swagger';
import type { Message } from '../../contract/messages.js';

/** A row of `messages`, by the names of the columns. */
export interface MessageRow {
  id: number;
  chat_id: number;
  sender_id: number;
  text: string | null;
  timestamp: Date;
  client_message_id: string;
  seq: number;
  change_seq: number | null;
  reply_to_id: number | null;
  edited_at: Date | null;
  deleted_at: Date | null;
}

const Id = (example: number): PropertyDecorator => ApiProperty({ type: 'integer', format: 'int64', example });
const Time = (nullable: boolean): PropertyDecorator =>
  ApiProperty({ type: String, format: 'date-time', nullable, example: nullable ? null : '2025-04-08T12:00:00.000Z' });

/** A message as clients see it, on REST and on the socket. It lives with the chats because a chat shows its last one. */
export class MessageDto implements Message {
  @Id(42)
  id: number;

  @Id(1)
  chat_id: number;

  @Id(2)
  sender_id: number;

  @ApiProperty({ type: String, nullable: true, description: 'Null on a tombstone.', example: 'Привет!' })
  text: string | null;

  @Time(false)
  timestamp: string;

  @ApiProperty({ description: 'Whether every other member has read it.', example: false })
  is_read: boolean;

  @ApiProperty({ description: 'Unique in the chat, for ever.', example: 'unique-1744111111111' })
  client_message_id: string;

  @ApiProperty({ type: 'integer', format: 'int64', description: '1, 2, 3 … in the chat, without a hole.', example: 17 })
  seq: number;

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    nullable: true,
    description: "The chat's change counter when it was last edited or deleted.",
    example: null,
  })
  change_seq: number | null;

  @ApiProperty({ type: 'integer', format: 'int64', nullable: true, example: null })
  reply_to_id: number | null;

  @Time(true)
  edited_at: string | null;

  @Time(true)
  deleted_at: string | null;

  /** `readByAllSeq`: the smallest cursor of the chat. A sender's own cursor is never behind their message, so it needs no exception. */
  static of(row: MessageRow, readByAllSeq: number): MessageDto {
    return {
      id: row.id,
      chat_id: row.chat_id,
      sender_id: row.sender_id,
      text: row.text,
      timestamp: row.timestamp.toISOString(),
      is_read: row.seq <= readByAllSeq,
      client_message_id: row.client_message_id,
      seq: row.seq,
      change_seq: row.change_seq,
      reply_to_id: row.reply_to_id,
      edited_at: row.edited_at?.toISOString() ?? null,
      deleted_at: row.deleted_at?.toISOString() ?? null,
    };
  }
}
