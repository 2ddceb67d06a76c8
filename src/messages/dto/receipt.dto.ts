import { ApiProperty } from '@nestjs/swagger';
import type { ReadReceipt, Reader } from '../../contract/messages.js';

/** A receipt as clients get it: the answer to a read, and the payload of `read_receipt`. */
export class ReadReceiptDto implements ReadReceipt {
  @ApiProperty({ enum: ['read_receipt'] })
  type: 'read_receipt';

  @ApiProperty({ type: 'integer', format: 'int64', example: 42 })
  message_id: number;

  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  chat_id: number;

  @ApiProperty({ type: 'integer', format: 'int64', example: 3 })
  reader_id: number;

  @ApiProperty({ description: 'Whether every member but its sender has now read the message.', example: true })
  is_read: boolean;

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    description: 'The `seq` of the message; all before it are read, too.',
    example: 17,
  })
  seq: number;

  /** `isRead`: whether everybody but its sender has now read the message. */
  static of(chatId: number, readerId: number, message: { id: number; seq: number }, isRead: boolean): ReadReceiptDto {
    return {
      type: 'read_receipt',
      message_id: message.id,
      chat_id: chatId,
      reader_id: readerId,
      is_read: isRead,
      seq: message.seq,
    };
  }
}

/** Somebody who has read a message. */
export class ReaderDto implements Reader {
  @ApiProperty({ type: 'integer', format: 'int64', example: 3 })
  user_id: number;

  @ApiProperty({ example: 'Grace Hopper' })
  name: string;
}
