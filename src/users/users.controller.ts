import { Body, Controller, Get, Patch, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { ApiId, IdParam } from '../common/http/id-param.js';
import { CurrentUserId } from '../common/principal.js';
import { RateLimit } from '../limits/rate-limit.decorator.js';
import { AccountDto, LookUpUsersQuery, SearchUsersQuery, UpdateUserDto, UserDto } from './dto/user.dto.js';
import { UsersService } from './users.service.js';

/** People: the search, one or several people by id, and the caller's own name. `AccountsController` exports and closes accounts. */
@ApiTags('users')
@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Patch('me')
  @RateLimit('accountChanges')
  @ApiOperation({
    summary: 'Change your name, or who may add you to groups',
    description:
      'One of the fields, or both. Everybody who shares a chat with you learns of a new name soon after the answer, live (`member:updated`) or by sync.',
  })
  @ApiOkResponse({ type: AccountDto })
  @ApiProblems('validation_failed')
  updateMe(@CurrentUserId() userId: number, @Body() body: UpdateUserDto): Promise<AccountDto> {
    return this.users.change(userId, body);
  }

  @Get()
  @ApiOperation({
    summary: 'Find people by words of their name, or by their exact email',
    description:
      'First those whose whole name or email it is, then those whose name has all the words, then those whose name has ' +
      'words that begin with them. Case and accents don’t matter, nor ё and е. Chinese, Japanese, Korean and Thai ' +
      'names are found by any part. Of very many matches a thousand of each kind are shown.',
  })
  @ApiOkResponse({ type: [UserDto] })
  @ApiProblems('validation_failed')
  searchUsers(@Query() { query, limit, offset }: SearchUsersQuery): Promise<UserDto[]> {
    return this.users.search(query, limit, offset);
  }

  @Get('lookup')
  @ApiOperation({
    summary: 'People by their ids',
    description: 'In the order of the ids, as `GET /users/{id}` shows them. Ids that nobody has are left out.',
  })
  @ApiQuery({ name: 'ids', style: 'form', explode: true })
  @ApiOkResponse({ type: [UserDto] })
  @ApiProblems('validation_failed')
  lookUpUsers(@Query() { ids }: LookUpUsersQuery): Promise<UserDto[]> {
    return this.users.lookUp(ids);
  }

  @Get(':id')
  @ApiOperation({
    summary: 'A person',
    description: 'Also one whose account is closed.',
  })
  @ApiId('id')
  @ApiOkResponse({ type: UserDto })
  @ApiProblems('validation_failed', 'user_not_found')
  getUser(@IdParam('id') id: number): Promise<UserDto> {
    return this.users.get(id);
  }
}
