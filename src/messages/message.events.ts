import type { MessageDto } from '../chats/dto/message.dto.js';
import type { ReadReceiptDto } from './dto/receipt.dto.js';

/**
 * The domain events of messages, published inside this process after the commit. Each has the users to publish it to.
 * `LogWriter` and `ReceiptsService` publish them; `ChatFeed` and the metrics listen.
 */

/** A cursor has advanced. The receipt is for the authors of the messages that are newly read, and for the reader. */
export interface Read {
  readonly receipt: ReadReceiptDto;
  readonly userIds: readonly number[];
}

/** The new messages of a chat by one commit, in `seq` order, with what their senders read by sending them. */
export class MessagesAppended {
  constructor(
    readonly chatId: number,
    readonly messages: readonly MessageDto[],
    readonly reads: readonly Read[],
    readonly chat: {
      /** The chat's `last_change_seq`: all changes up to it come before these messages. */
      readonly changeSeq: number;
      /** The version of the member list. */
      readonly membersSeq: number;
      /** All members, if they are few. */
      readonly memberIds: readonly number[] | null;
      /** How long before this commit the chat had its last message, or was created, in milliseconds. */
      readonly idleMs: number;
    },
  ) {}
}

/** A user has read messages. `changeId` is the id of the row of `chat_changes` for it. */
export class MessagesRead implements Read {
  constructor(
    readonly receipt: ReadReceiptDto,
    readonly userIds: readonly number[],
    readonly changeId: number,
  ) {}
}
