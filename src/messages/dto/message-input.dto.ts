import type { NewMessage } from '../../contract/messages.js';
import { IdField, KeyField, QueryInteger, TextField } from '../../common/validation/fields.js';
import { LimitQuery } from '../../common/pagination.js';

const MAX_SEQ = Number.MAX_SAFE_INTEGER;

const MessageKey = (optional: boolean): PropertyDecorator =>
  KeyField({
    description: 'Made by the client, unique in the chat: sending the same again is safe.',
    example: 'unique-1744111111111',
    optional,
  });

const MessageText = (): PropertyDecorator =>
  TextField({ description: 'Not all white space.', example: 'Привет!', min: 1, max: 4096, blank: false });

/** The new text of a message, over REST. */
export class EditMessageDto {
  @MessageText()
  text: string;
}

/** The new text of a message, over the socket. */
export class EditMessageCommand extends EditMessageDto {
  @IdField()
  message_id: number;
}

/** The fields of a new message that REST and the socket share. */
class MessageInput {
  @IdField({ description: 'The chat.', example: 1 })
  chat_id: number;

  @MessageText()
  text: string;

  @IdField({ description: 'A message of the same chat that this one answers.', example: 41, optional: true })
  reply_to_id?: number;
}

/** A new message over REST. Without a key, `MessagesService.send` makes one. */
export class SendMessageDto extends MessageInput {
  @MessageKey(true)
  client_message_id?: string;
}

/**
 * A new message over the socket. The key is required here: after a lost ack the client must send again with the same
 * key.
 */
export class SendMessageCommand extends MessageInput implements NewMessage {
  @MessageKey(false)
  client_message_id: string;
}

/**
 * The query for a page of history. At most one of `offset`, `before_seq`, `after_seq` and `around_seq` is given; see
 * `historyRange`.
 */
export class HistoryQuery {
  @LimitQuery(50)
  limit: number = 50;

  @QueryInteger({ description: 'How many of the oldest to leave out.', min: 0, max: MAX_SEQ, example: 0 })
  offset?: number;

  @QueryInteger({ description: 'The newest ones below this `seq`.', min: 1, max: MAX_SEQ })
  before_seq?: number;

  @QueryInteger({ description: 'The oldest ones above this `seq`.', min: 0, max: MAX_SEQ })
  after_seq?: number;

  @QueryInteger({ description: 'With this `seq` in the middle.', min: 1, max: MAX_SEQ })
  around_seq?: number;
}
