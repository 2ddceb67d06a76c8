import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, type ApiPropertyOptions, getSchemaPath } from '@nestjs/swagger';
import type { ChatNews, News, SyncCursor, SyncRequest } from '../../contract/sync.js';
import { ChatDto } from '../../chats/dto/chat.dto.js';
import { MemberDto } from '../../chats/dto/member.dto.js';
import { MessageDto } from '../../chats/dto/message.dto.js';
import { IntegerField, rule } from '../../common/validation/fields.js';

const Counter = (description: string, example: number, required = true): PropertyDecorator =>
  ApiProperty({ type: 'integer', format: 'int64', minimum: 0, description, example, required });

/** What a client holds of one chat: the highest `seq` and `change_seq`, and the read marks that it knows. */
export class SyncCursorDto implements SyncCursor {
  @Counter('The `seq` of the newest message held; 0 for none.', 17)
  seq: number;

  @Counter('The newest `change_seq` held; 0 for none.', 4)
  change_seq: number;

  @Counter('Your own read mark, as held: when given, one that differs counts as news.', 15, false)
  last_read_seq?: number;

  @Counter('The read mark of everybody, as held: when given, one that differs counts as news.', 12, false)
  read_by_all_seq?: number;
}

const REQUIRED = ['seq', 'change_seq'];
const KNOWN = new Set([...REQUIRED, 'last_read_seq', 'read_by_all_seq']);
const CHAT_ID = /^[1-9]\d{0,15}$/;
const isCounter = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * The first error in the cursors, with its place; undefined without one. By hand, as class-validator takes 15 µs for
 * each cursor.
 */
function faultOf(cursors: unknown): string | undefined {
  if (typeof cursors !== 'object' || cursors === null || Array.isArray(cursors)) return 'must be an object';
  for (const [chatId, cursor] of Object.entries(cursors as Record<string, unknown>)) {
    const place = chatId.slice(0, 20);
    if (!CHAT_ID.test(chatId) || !Number.isSafeInteger(Number(chatId))) return `${place} is not a chat's id`;
    if (typeof cursor !== 'object' || cursor === null || Array.isArray(cursor)) return `${place} must be an object`;
    const fields = cursor as Record<string, unknown>;
    const missing = REQUIRED.find((name) => !Object.hasOwn(fields, name));
    if (missing !== undefined) return `${place}.${missing} must be given`;
    const unknown = Object.keys(fields).find((name) => !KNOWN.has(name));
    if (unknown !== undefined) return `${place}.${unknown.slice(0, 50)} is not a known field`;
    const wrong = Object.keys(fields).find((name) => !isCounter(fields[name]));
    if (wrong !== undefined) return `${place}.${wrong} must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`;
  }
  return undefined;
}

const CursorsField = (): PropertyDecorator & ClassDecorator =>
  applyDecorators(
    ApiProperty({
      type: 'object',
      propertyNames: { pattern: CHAT_ID.source },
      additionalProperties: { $ref: getSchemaPath(SyncCursorDto) },
      description: 'What you hold, by the id of the chat. A chat that is not named comes with its newest messages.',
      example: { 1: { seq: 17, change_seq: 4, last_read_seq: 15, read_by_all_seq: 12 } },
    } as ApiPropertyOptions),
    rule(
      'cursors',
      (value) => faultOf(value) === undefined,
      (value) => faultOf(value)!,
    ),
  );

/** What a client holds, and how much it wants: the body of `POST /sync` and the payload of `sync`. */
@ApiExtraModels(SyncCursorDto)
export class SyncRequestDto implements SyncRequest {
  @CursorsField()
  cursors: Record<string, SyncCursorDto>;

  @IntegerField({
    description: 'Chats above this id: `next_chat_id` of the answer before. By default 0.',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    example: 0,
    optional: true,
  })
  after_chat_id: number = 0;

  @IntegerField({
    description: 'How many messages, at the most. By default 200.',
    min: 1,
    max: 500,
    example: 200,
    optional: true,
  })
  limit: number = 200;
}

/** A chat, with the messages in it that the client does not hold. */
export class ChatNewsDto extends ChatDto implements ChatNews {
  @ApiProperty({
    type: [MessageDto],
    description: 'Those with a higher `seq`, in order; then older ones that have changed, by `change_seq`.',
  })
  messages: MessageDto[];

  @ApiProperty({
    type: [MemberDto],
    nullable: true,
    description:
      'Who joined, or got another role or name, since the `change_seq` of the cursor. Null without a cursor, with ' +
      '`reset` or when they are too many: drop the members you hold, and get them when you show them.',
  })
  members: MemberDto[] | null;

  @ApiProperty({
    type: 'array',
    items: { type: 'integer', format: 'int64' },
    description: 'Who has left since the `change_seq` of the cursor; empty when `members` is null.',
    example: [],
  })
  left_user_ids: number[];

  @ApiProperty({ description: 'There is more: call again with the cursors moved on.', example: false })
  has_more: boolean;

  @ApiProperty({ description: 'Drop what you hold of this chat, and page back on demand.', example: false })
  reset: boolean;
}

/** The answer to a sync. */
export class NewsDto implements News {
  @ApiProperty({ type: [ChatNewsDto], description: 'By id. Chats with nothing new are left out.' })
  chats: ChatNewsDto[];

  @ApiProperty({
    type: 'array',
    items: { type: 'integer', format: 'int64' },
    description: 'Chats the cursors name and you are no longer in.',
    example: [],
  })
  removed_chat_ids: number[];

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    nullable: true,
    description: 'The `after_chat_id` of the next call; null when this was the last.',
    example: null,
  })
  next_chat_id: number | null;
}
