import { FlagField, IdField, TextField } from '../../../common/validation/fields.js';

/** The payload of a command that only names a message: `message:delete` and `message:read`. */
export class MessageCommand {
  @IdField()
  message_id: number;
}

/** The payload of `typing`. */
export class TypingCommand {
  @IdField()
  chat_id: number;

  @FlagField()
  is_typing: boolean;
}

/** The payload of `auth:refresh`. */
export class RefreshCommand {
  @TextField({ description: 'A new access token of the same user.', min: 1, max: 4_096 })
  token: string;
}
