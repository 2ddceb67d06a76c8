import { FlagField, IdField, TextField } from '../../common/fields.js';

export class ReadCommand {
  @IdField({ description: 'This message and all before it.' })
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
