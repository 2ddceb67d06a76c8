import type { MessageDto } from '../chats/dto/message.dto.js';
import type { ReadReceiptDto } from './dto/receipt.dto.js';

/** What happened to messages, published after the commit; each says who has to hear of it. */

export class MessageCreated {
  constructor(
    readonly message: MessageDto,
    readonly userIds: readonly number[],
  ) {}
}

export class MessageChanged {
  constructor(
    readonly change: 'updated' | 'deleted',
    readonly message: MessageDto,
    readonly userIds: readonly number[],
  ) {}
}

/** A cursor has moved: for the senders whose messages this newly reads, and for the reader. */
export class MessagesRead {
  constructor(
    readonly receipt: ReadReceiptDto,
    readonly userIds: readonly number[],
  ) {}
}
