import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { PageQuery } from '../chats/dto/chat-input.dto.js';
import { MessageDto } from '../chats/dto/message.dto.js';
import { RateLimit } from '../limits/rate-limit.decorator.js';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { ApiId, IdParam } from '../common/http/id-param.js';
import { CLIENT_KEY } from '../common/validation/fields.js';
import { CurrentUserId } from '../common/principal.js';
import { MessageEditsService } from './message-edits.service.js';
import { EditMessageDto, HistoryQuery, SendMessageDto } from './dto/message-input.dto.js';
import { ReaderDto, ReadReceiptDto } from './dto/receipt.dto.js';
import { IdempotencyKey, withKey } from './idempotency-key.js';
import { MessagesService } from './messages.service.js';
import { ReceiptsService } from './receipts.service.js';

/** The REST routes of messages and receipts. A handler calls one service; it decides nothing. */
@ApiTags('messages')
@Controller()
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly edits: MessageEditsService,
    private readonly receipts: ReceiptsService,
  ) {}

  @RateLimit('sends')
  @Post('messages')
  @ApiOperation({
    summary: 'Send a message; the same again returns the same message',
    description:
      '201 when this stores it. A message with the same `client_message_id` in this chat is the same message: 200 with the ' +
      'stored one and `Idempotent-Replayed`, so a request without an answer can be sent again. The key may come in ' +
      '`Idempotency-Key` instead; when both are given they are equal. Without a key the server makes one, and a repeated ' +
      'request sends twice. `client_message_id_conflict`: the key was used with another text, reply or sender. `blocked`: one ' +
      'of two people blocks the other, or has closed their account. `overloaded`: too many messages wait in the server.',
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'Another place for `client_message_id`.',
    schema: { type: 'string', pattern: CLIENT_KEY.source },
  })
  @ApiCreatedResponse({ type: MessageDto })
  @ApiOkResponse({
    type: MessageDto,
    description: 'A replay: the message was sent before.',
    headers: { 'Idempotent-Replayed': { schema: { type: 'string', enum: ['true'] } } },
  })
  @ApiProblems('validation_failed', 'blocked', 'chat_not_found', 'client_message_id_conflict', 'overloaded')
  async sendMessage(
    @CurrentUserId() userId: number,
    @IdempotencyKey() key: string | undefined,
    @Body() body: SendMessageDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessageDto> {
    const { message, replayed } = await this.messages.send(userId, withKey(body, key));
    if (replayed) reply.status(200).header('Idempotent-Replayed', 'true');
    return message;
  }

  @Get(['messages/history/:chat_id', 'history/:chat_id'])
  @ApiOperation({
    summary: 'A page of a chat, oldest first',
    description:
      'At most one of `offset`, `before_seq`, `after_seq` and `around_seq` is given; without one the page begins with the ' +
      'oldest message. A deep page costs no more than the first. `chat_not_found` also for a chat that you are not in.',
  })
  @ApiId('chat_id')
  @ApiOkResponse({
    type: [MessageDto],
    headers: { 'X-Total-Count': { description: "The chat's `last_seq`.", schema: { type: 'integer' } } },
  })
  @ApiProblems('validation_failed', 'chat_not_found')
  async getHistory(
    @CurrentUserId() userId: number,
    @IdParam('chat_id') chatId: number,
    @Query() query: HistoryQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessageDto[]> {
    const { messages, total } = await this.messages.history(userId, chatId, query);
    reply.header('X-Total-Count', String(total));
    return messages;
  }

  @Get('messages/:id')
  @ApiOperation({
    summary: 'A message',
    description:
      '`message_not_found` also for a message of a chat that you are not in. A deleted message is a tombstone.',
  })
  @ApiId('id')
  @ApiOkResponse({ type: MessageDto })
  @ApiProblems('validation_failed', 'message_not_found')
  getMessage(@CurrentUserId() userId: number, @IdParam('id') id: number): Promise<MessageDto> {
    return this.messages.get(userId, id);
  }

  @Patch('messages/:id')
  @ApiOperation({
    summary: 'Change the text of your message',
    description:
      'Everybody in the chat gets `message:updated`. The same text again changes nothing. `forbidden`: somebody else has ' +
      'written it. `message_not_found` also for a deleted one.',
  })
  @ApiId('id')
  @ApiOkResponse({ type: MessageDto })
  @ApiProblems('validation_failed', 'forbidden', 'blocked', 'message_not_found', 'overloaded')
  editMessage(
    @CurrentUserId() userId: number,
    @IdParam('id') id: number,
    @Body() { text }: EditMessageDto,
  ): Promise<MessageDto> {
    return this.edits.edit(userId, id, text);
  }

  @Delete('messages/:id')
  @ApiOperation({
    summary: 'Delete your message; in a group, as owner or admin, any',
    description:
      'Its text is gone for good; what stays is a tombstone with its `id` and `seq`, which everybody gets as ' +
      '`message:deleted`. Deleting it again changes nothing.',
  })
  @ApiId('id')
  @ApiOkResponse({ type: MessageDto, description: 'What is left: a tombstone.' })
  @ApiProblems('validation_failed', 'forbidden', 'message_not_found', 'overloaded')
  deleteMessage(@CurrentUserId() userId: number, @IdParam('id') id: number): Promise<MessageDto> {
    return this.edits.delete(userId, id);
  }

  @Post('messages/:id/read')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Mark a message, and all before it, as read',
    description: 'The writers of what is newly read get a `read_receipt`. Reading again changes nothing.',
  })
  @ApiId('id')
  @ApiOkResponse({ type: ReadReceiptDto })
  @ApiProblems('validation_failed', 'message_not_found', 'overloaded')
  readMessage(@CurrentUserId() userId: number, @IdParam('id') id: number): Promise<ReadReceiptDto> {
    return this.receipts.read(userId, id);
  }

  @Get('messages/:id/readers')
  @ApiOperation({
    summary: 'Who has read a message, its sender aside, in the order they joined',
    description: 'A page by `limit` and `offset`, of those who are members now.',
  })
  @ApiId('id')
  @ApiOkResponse({ type: [ReaderDto] })
  @ApiProblems('validation_failed', 'message_not_found')
  listReaders(
    @CurrentUserId() userId: number,
    @IdParam('id') id: number,
    @Query() { limit, offset }: PageQuery,
  ): Promise<ReaderDto[]> {
    return this.messages.readers(userId, id, limit, offset);
  }
}
