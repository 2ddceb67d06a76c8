import { Controller, Delete, Get, HttpCode, Put, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { ApiId, IdParam } from '../common/http/id-param.js';
import { CurrentUserId } from '../common/principal.js';
import { UserDto } from '../users/dto/user.dto.js';
import { BlocksService } from './blocks.service.js';
import { PageQuery } from './dto/chat-input.dto.js';

/** Blocking people, over HTTP. */
@ApiTags('users')
@Controller('users')
export class BlocksController {
  constructor(private readonly blocks: BlocksService) {}

  @Get('blocked')
  @ApiOperation({
    summary: 'Whom you have blocked, the latest first',
    description: 'A page by `limit` and `offset`. Those who are blocked are not told.',
  })
  @ApiOkResponse({ type: [UserDto] })
  @ApiProblems('validation_failed')
  listBlocked(@CurrentUserId() userId: number, @Query() { limit, offset }: PageQuery): Promise<UserDto[]> {
    return this.blocks.list(userId, limit, offset);
  }

  @Put(':id/block')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Block a person; again changes nothing',
    description:
      'While one of two people blocks the other, neither opens a private chat with the other, sends a message there or ' +
      'edits one: `blocked`. Nobody is told. What they have written stays, and so do the groups they share.',
  })
  @ApiId('id')
  @ApiNoContentResponse()
  @ApiProblems('validation_failed', 'user_not_found')
  blockUser(@CurrentUserId() userId: number, @IdParam('id') id: number): Promise<void> {
    return this.blocks.block(userId, id);
  }

  @Delete(':id/block')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Take a block back; without one nothing happens',
    description: 'You can write to each other again, unless they block you.',
  })
  @ApiId('id')
  @ApiNoContentResponse()
  @ApiProblems('validation_failed', 'user_not_found')
  unblockUser(@CurrentUserId() userId: number, @IdParam('id') id: number): Promise<void> {
    return this.blocks.unblock(userId, id);
  }
}
