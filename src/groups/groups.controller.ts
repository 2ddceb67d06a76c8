import { applyDecorators, Body, Controller, Delete, Get, HttpCode, Patch, Post, Put } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CreateGroupDto } from '../chats/dto/chat-input.dto.js';
import { ChatDto, ChatWithMembersDto, NewGroupDto } from '../chats/dto/chat.dto.js';
import { MemberDto } from '../chats/dto/member.dto.js';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { ApiId, IdParam } from '../common/http/id-param.js';
import type { ErrorCode } from '../contract/errors.js';
import { CurrentUserId } from '../common/principal.js';
import { SetRoleDto, UpdateGroupDto } from './dto/group.dto.js';
import { GroupsService } from './groups.service.js';

const ADDING =
  'The newcomer gets `chat:created`, and everybody `member:added`. `blocked`: one of you blocks the other, or they do ' +
  'not allow it. `limit_reached`: the group is full, or one of you has reached a limit.';
const REMOVING =
  'Nobody but the owner removes an admin, and nobody the owner. An owner who leaves hands the group over to the ' +
  'admin, else the member, who has been in it longest; with the last member the group goes. They get `chat:removed`, ' +
  'the others `member:removed`.';

/** Groups, their members and roles over HTTP. `ChatsController` lists chats of both types. */
@ApiTags('groups')
@Controller('groups')
export class GroupsController {
  constructor(private readonly groups: GroupsService) {}

  @Post()
  @ApiOperation({
    summary: 'Make a group: you are its owner',
    description:
      'Whom you can’t add is left out and named in `left_out_ids`: people who have blocked you, whose `addable_by` ' +
      'doesn’t allow it, or who are in as many chats as they can be.',
  })
  @ApiCreatedResponse({ type: NewGroupDto })
  @ApiProblems('validation_failed', 'user_not_found', 'limit_reached')
  createGroup(@CurrentUserId() userId: number, @Body() body: CreateGroupDto): Promise<NewGroupDto> {
    return this.groups.create(userId, body);
  }

  @Get(':id')
  @ApiOperation({
    summary: 'A group with its first 100 members',
    description:
      'The same as `GET /chats/{id}`, for groups alone. `group_not_found` also for a group that you are not in.',
  })
  @ApiId('id')
  @ApiOkResponse({ type: ChatWithMembersDto })
  @ApiProblems('validation_failed', 'group_not_found')
  getGroup(@CurrentUserId() userId: number, @IdParam('id') id: number): Promise<ChatWithMembersDto> {
    return this.groups.get(id, userId);
  }

  @Patch(':id')
  @ApiOperation({
    summary: 'Rename a group (owner, admin)',
    description:
      'The members get `chat:updated`. The same name again changes nothing. `not_a_group`: it is a private chat of yours.',
  })
  @ApiId('id')
  @ApiOkResponse({ type: ChatDto })
  @ApiProblems('validation_failed', 'forbidden', 'group_not_found', 'not_a_group', 'overloaded')
  updateGroup(
    @CurrentUserId() userId: number,
    @IdParam('id') id: number,
    @Body() { name }: UpdateGroupDto,
  ): Promise<ChatDto> {
    return this.groups.rename(id, userId, name);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete a group with its messages, for everyone (owner)',
    description: 'It is gone at once; the members get `chat:removed`. `not_a_group`: it is a private chat of yours.',
  })
  @ApiId('id')
  @ApiNoContentResponse()
  @ApiProblems('validation_failed', 'forbidden', 'group_not_found', 'not_a_group', 'overloaded')
  deleteGroup(@CurrentUserId() userId: number, @IdParam('id') id: number): Promise<void> {
    return this.groups.delete(id, userId);
  }

  @Put(':group_id/members/:user_id')
  @ApiMember('Add a person (owner, admin); adding a member again changes nothing', ADDING, 'blocked', 'limit_reached')
  @ApiOkResponse({ type: MemberDto })
  addMember(
    @CurrentUserId() actorId: number,
    @IdParam('group_id') groupId: number,
    @IdParam('user_id') userId: number,
  ): Promise<MemberDto> {
    return this.groups.addMember(groupId, actorId, userId);
  }

  @Post(':group_id/add_user/:user_id')
  @HttpCode(200)
  @ApiMember(
    'Add a person (owner, admin); the same as `PUT /groups/{group_id}/members/{user_id}`',
    ADDING,
    'blocked',
    'limit_reached',
  )
  @ApiOkResponse({ type: MemberDto })
  addUser(
    @CurrentUserId() actorId: number,
    @IdParam('group_id') groupId: number,
    @IdParam('user_id') userId: number,
  ): Promise<MemberDto> {
    return this.groups.addMember(groupId, actorId, userId);
  }

  @Delete(':group_id/members/:user_id')
  @HttpCode(204)
  @ApiMember('Take a person out (owner, admin), or leave', REMOVING)
  @ApiNoContentResponse()
  removeMember(
    @CurrentUserId() actorId: number,
    @IdParam('group_id') groupId: number,
    @IdParam('user_id') userId: number,
  ): Promise<void> {
    return this.groups.removeMember(groupId, actorId, userId);
  }

  @Post(':group_id/remove_user/:user_id')
  @HttpCode(204)
  @ApiMember(
    'Take a person out (owner, admin), or leave; the same as `DELETE /groups/{group_id}/members/{user_id}`',
    REMOVING,
  )
  @ApiNoContentResponse()
  removeUser(
    @CurrentUserId() actorId: number,
    @IdParam('group_id') groupId: number,
    @IdParam('user_id') userId: number,
  ): Promise<void> {
    return this.groups.removeMember(groupId, actorId, userId);
  }

  @Patch(':group_id/members/:user_id')
  @ApiMember(
    'Change a role, or hand the group over (owner)',
    'The role `owner` hands the group over: the caller becomes an admin. Everybody gets `member:updated`.',
  )
  @ApiOkResponse({ type: MemberDto })
  setRole(
    @CurrentUserId() actorId: number,
    @IdParam('group_id') groupId: number,
    @IdParam('user_id') userId: number,
    @Body() { role }: SetRoleDto,
  ): Promise<MemberDto> {
    return this.groups.setRole(groupId, actorId, userId, role);
  }
}

/** The OpenAPI parts that the routes of one membership share. */
function ApiMember(summary: string, description: string, ...codes: ErrorCode[]): MethodDecorator {
  return applyDecorators(
    ApiOperation({ summary, description }),
    ApiId('group_id'),
    ApiId('user_id'),
    ApiProblems(
      'validation_failed',
      'forbidden',
      'group_not_found',
      'user_not_found',
      'not_a_group',
      'overloaded',
      ...codes,
    ),
  );
}
