import type { MessageDto } from '../chats/dto/message.dto.js';
import type { ReadReceiptDto } from './dto/receipt.dto.js';

/** What happened to messages, published inside this process after the commit; each says who has to hear of it. */

/** Cursors have moved: for the senders whose messages this newly reads, and for the reader. */
export interface Read {
  readonly receipt: ReadReceiptDto;
  readonly userIds: readonly number[];
}

/** One commit's new messages of a chat, in `seq` order, with what their senders read by sending. */
export class MessagesAppended {
  constructor(
    readonly chatId: number,
    readonly messages: readonly MessageDto[],
    readonly reads: readonly Read[],
    readonly chat: {
      /** The chat's `last_change_seq`: all changes up to it come before these messages. */
      readonly changeSeq: number;
      readonly membersSeq: number;
      /** All members, if they are few. */
      readonly memberIds: readonly number[] | null;
      /** For how long the chat had been without a message, in milliseconds. */
      readonly idleMs: number;
    },
  ) {}
}

/** Somebody has read; `changeId` is the row that says so in `chat_changes`. */
export class MessagesRead implements Read {
  constructor(
    readonly receipt: ReadReceiptDto,
    readonly userIds: readonly number[],
    readonly changeId: number,
  ) {}
}
