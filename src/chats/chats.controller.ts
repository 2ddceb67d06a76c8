import { Body, Controller, Get, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { BodyByTypePipe } from '../common/validation/body-by-type.pipe.js';
import { ApiId, IdParam } from '../common/http/id-param.js';
import { CurrentUserId } from '../common/principal.js';
import { ChatsService } from './chats.service.js';
import { CreateGroupChatDto, CreatePrivateChatDto, ListChatsQuery, PageQuery } from './dto/chat-input.dto.js';
import { ChatDto, ChatWithMembersDto, NewGroupDto } from './dto/chat.dto.js';
import { MemberDto } from './dto/member.dto.js';

/** Chats of both types, private and group, over HTTP. `GroupsController` changes groups. */
@ApiTags('chats')
@Controller('chats')
export class ChatsController {
  constructor(private readonly chats: ChatsService) {}

  @Post()
  @ApiOperation({
    summary: 'Open the private chat with somebody or with yourself, or make a group',
    description:
      'Two people have one private chat, and so has one person with themselves, for notes: 201 when this makes it, 200 ' +
      'when it was there. A group is always new, and the same as by `POST /groups`. `blocked`: one of the two blocks the other. `limit_reached`: one of you is in as many ' +
      'chats as somebody can be, or you have made many groups or added many people today.',
  })
  @ApiExtraModels(CreatePrivateChatDto, CreateGroupChatDto)
  @ApiBody({
    schema: { $ref: '#/components/schemas/CreateChat' },
    examples: {
      private: { value: { type: 'private', user_id: 2 } },
      group: { value: { type: 'group', name: 'Analytical engines', member_ids: [2, 3] } },
    },
  })
  @ApiCreatedResponse({ type: NewGroupDto, description: 'The private chat, or the group.' })
  @ApiOkResponse({ type: ChatDto, description: 'The private chat that there already is.' })
  @ApiProblems('validation_failed', 'blocked', 'user_not_found', 'limit_reached')
  async createChat(
    @CurrentUserId() userId: number,
    @Body(new BodyByTypePipe({ private: CreatePrivateChatDto, group: CreateGroupChatDto }))
    body: CreatePrivateChatDto | CreateGroupChatDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ChatDto | NewGroupDto> {
    const { chat, created } = await this.chats.create(userId, body);
    reply.status(created ? 201 : 200);
    return chat;
  }

  @Get()
  @ApiOperation({
    summary: 'Your chats, latest activity first',
    description: 'The order may be a second behind the newest messages.',
  })
  @ApiOkResponse({ type: [ChatDto] })
  @ApiProblems('validation_failed')
  listChats(@CurrentUserId() userId: number, @Query() { limit, before }: ListChatsQuery): Promise<ChatDto[]> {
    return this.chats.list(userId, limit, before);
  }

  @Get(':id')
  @ApiOperation({
    summary: 'A chat with its first 100 members',
    description: 'A private chat or a group. `chat_not_found` also for a chat that you are not in.',
  })
  @ApiId('id')
  @ApiOkResponse({ type: ChatWithMembersDto })
  @ApiProblems('validation_failed', 'chat_not_found')
  getChat(@CurrentUserId() userId: number, @IdParam('id') id: number): Promise<ChatWithMembersDto> {
    return this.chats.get(id, userId);
  }

  @Get(':id/members')
  @ApiOperation({
    summary: 'The members of a chat, in the order they joined',
    description: 'A page by `limit` and `offset`. `chat_not_found` also for a chat that you are not in.',
  })
  @ApiId('id')
  @ApiOkResponse({ type: [MemberDto] })
  @ApiProblems('validation_failed', 'chat_not_found')
  listChatMembers(
    @CurrentUserId() userId: number,
    @IdParam('id') id: number,
    @Query() { limit, offset }: PageQuery,
  ): Promise<MemberDto[]> {
    return this.chats.listMembers(id, userId, limit, offset);
  }
}
