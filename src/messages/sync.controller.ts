import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { CurrentUserId } from '../common/principal.js';
import { NewsDto, SyncRequestDto } from './dto/sync.dto.js';
import { SyncService } from './sync.service.js';

/** The most bytes of a body: the cursors of about 4,000 chats. */
const BODY_LIMIT = 256 * 1024;

/** The REST route of sync; the command `sync` of the socket does the same. */
@ApiTags('messages')
@Controller('sync')
export class SyncController {
  constructor(private readonly syncs: SyncService) {}

  @Post()
  @HttpCode(200)
  @RouteConfig({ bodyLimit: BODY_LIMIT })
  @ApiOperation({
    summary: 'What is new since what you hold: messages, changes, read marks, chats',
    description:
      'Chats in which nothing differs from their cursor are left out. Call again with advanced cursors until `next_chat_id` is ' +
      'null; docs/realtime.md has the rules by which a client ends with exactly what the server holds. The body may have ' +
      '256 KiB.',
  })
  @ApiOkResponse({ type: NewsDto })
  @ApiProblems('validation_failed')
  sync(@CurrentUserId() userId: number, @Body() body: SyncRequestDto): Promise<NewsDto> {
    return this.syncs.sync(userId, body);
  }
}
