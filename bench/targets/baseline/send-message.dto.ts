import { IsInt, IsPositive, IsString, Length } from 'class-validator';

/** The payload of `message:send` in the baseline (main.ts). */
export class SendMessageDto {
  @IsInt()
  @IsPositive()
  chat_id: number;

  @IsString()
  @Length(1, 4096)
  text: string;

  @IsString()
  @Length(1, 64)
  client_message_id: string;
}
