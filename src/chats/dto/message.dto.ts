import { ApiProperty } from '@nestjs/swagger';
import type { Message } from '../../contract/messages.js';

/**
 * The one definition of a message's shape: its columns, its row, and what clients see. It belongs to `chats` because a
 * chat shows its last message. A new field of a message is added to `contract/messages.ts`, to `COLUMNS` and to
 * `MessageDto`.
 */

/** Times are `Date`s in a row, and text on the wire. */
type Stored<T> = { [K in keyof T]: K extends 'timestamp' | `${string}_at` ? Date | Extract<T[K], null> : T[K] };

/**
 * A row of `messages`, by the names of the columns: what clients see without `is_read`, which follows from the read
 * mark.
 */
export type MessageRow = Stored<Omit<Message, 'is_read'>>;

const COLUMNS: Record<keyof MessageRow, true> = {
  id: true,
  chat_id: true,
  sender_id: true,
  text: true,
  timestamp: true,
  client_message_id: true,
  seq: true,
  change_seq: true,
  reply_to_id: true,
  edited_at: true,
  deleted_at: true,
};
const NAMES = Object.keys(COLUMNS) as (keyof MessageRow)[];

/** The columns that the sender decides, in the order of the parameters of `append_messages`. */
export const SENT_COLUMNS = ['chat_id', 'sender_id', 'text', 'client_message_id', 'reply_to_id'] as const;

/** The columns that only a later change sets, as they are in a new message. */
const UNCHANGED = { change_seq: null, edited_at: null, deleted_at: null };

/** A message as it is sent. Storing it adds its `id`, `seq` and `timestamp`. */
export type SentMessage = Pick<MessageRow, (typeof SENT_COLUMNS)[number]> & { readonly text: string };

/** SQL: the columns of a message in `table`, with `prefix` before their names if there is one. */
export const messageColumns = (table: string, prefix = ''): string =>
  NAMES.map((name) => `${table}.${name}${prefix && ` AS ${prefix}${name}`}`).join(', ');

/** Takes the message out of a row whose columns have the prefix; null where an outer join found none. */
export function prefixedMessage<P extends string>(row: Prefixed<P>, prefix: P): MessageRow | null {
  const values = row as Record<string, unknown>;
  if (values[`${prefix}id`] === null) return null;
  return Object.fromEntries(NAMES.map((name) => [name, values[prefix + name]])) as unknown as MessageRow;
}

/** The columns of a message with a prefix before their names; all are null where there is no message. */
export type Prefixed<P extends string> = { [K in keyof MessageRow as `${P}${K}`]: MessageRow[K] | null };

const Id = (example: number): PropertyDecorator => ApiProperty({ type: 'integer', format: 'int64', example });
const Time = (nullable: boolean): PropertyDecorator =>
  ApiProperty({ type: String, format: 'date-time', nullable, example: nullable ? null : '2025-04-08T12:00:00.000Z' });

/** A message as clients see it, on REST and on the socket. */
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

  /** A message that was just stored. `readByAllSeq` as below. */
  static created(
    sent: SentMessage,
    place: Pick<MessageRow, 'id' | 'seq' | 'timestamp'>,
    readByAllSeq: number,
  ): MessageDto {
    return MessageDto.of({ ...UNCHANGED, ...sent, ...place }, readByAllSeq);
  }

  /**
   * `readByAllSeq` is the read mark of the chat. Sending moves the sender's own cursor to the message, so the sender
   * needs no exception.
   */
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
