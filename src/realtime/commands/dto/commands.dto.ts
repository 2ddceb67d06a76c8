import { FlagField, IdField, TextField } from '../../../common/validation/fields.js';

/** A command that needs nothing but the message it is about. */
export class MessageCommand {
  @IdField()
  message_id: number;
}

export class TypingCommand {
  @IdField()
  chat_id: number;

  @FlagField()
  is_typing: boolean;
}

export class RefreshCommand {
  @TextField({ description: 'A new access token of the same user.', min: 1, max: 4_096 })
  token: string;
}
