import { Body, Controller, Get, Post, Query, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
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
  @ApiOperation({ summary: 'Open the private chat with somebody, or make a group' })
  @ApiExtraModels(CreatePrivateChatDto, CreateGroupChatDto)
  @ApiBody({
    schema: {
      oneOf: [{ $ref: getSchemaPath(CreatePrivateChatDto) }, { $ref: getSchemaPath(CreateGroupChatDto) }],
      discriminator: {
        propertyName: 'type',
        mapping: { private: getSchemaPath(CreatePrivateChatDto), group: getSchemaPath(CreateGroupChatDto) },
      },
    },
    examples: {
      private: { value: { type: 'private', user_id: 2 } },
      group: { value: { type: 'group', name: 'Analytical engines', member_ids: [2, 3] } },
    },
  })
  @ApiExtraModels(ChatDto, NewGroupDto)
  @ApiCreatedResponse({
    description: 'The private chat, or the group with those who were left out of it.',
    schema: { oneOf: [{ $ref: getSchemaPath(ChatDto) }, { $ref: getSchemaPath(NewGroupDto) }] },
  })
  @ApiOkResponse({ type: ChatDto, description: 'The private chat these two already have.' })
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
  @ApiOperation({ summary: 'A chat with its first 100 members' })
  @ApiId('id')
  @ApiOkResponse({ type: ChatWithMembersDto })
  @ApiProblems('validation_failed', 'chat_not_found')
  getChat(@CurrentUserId() userId: number, @IdParam('id') id: number): Promise<ChatWithMembersDto> {
    return this.chats.get(id, userId);
  }

  @Get(':id/members')
  @ApiOperation({ summary: 'The members of a chat, in the order they joined' })
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
