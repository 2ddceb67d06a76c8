import { ApiProperty } from '@nestjs/swagger';
import { IsIn, ValidateIf } from 'class-validator';
import type { Account, AddableBy, User as UserShape } from '../../contract/users.js';
import { NameField, QueryIdList, TextField } from '../../common/validation/fields.js';
import { composed, InForm } from '../../common/validation/text-form.js';
import { LimitQuery, MAX_PAGE, OffsetQuery } from '../../common/pagination.js';
import type { User } from '../user.entity.js';

const ADDABLE_BY: readonly AddableBy[] = ['everybody', 'correspondents'];

/** A person, as everybody sees them. `GET /users/{id}`, the look-up and the search return it. */
export class UserDto implements UserShape {
  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  id: number;

  @ApiProperty({ example: 'Ada Lovelace' })
  name: string;

  @ApiProperty({ format: 'date-time', example: '2025-04-08T12:00:00.000Z' })
  created_at: string;

  static of({ id, name, createdAt }: Pick<User, 'id' | 'name' | 'createdAt'>): UserDto {
    return { id, name, created_at: createdAt.toISOString() };
  }
}

/** The caller's own account. A closed one has no email, and so can't be shown. */
export class AccountDto extends UserDto implements Account {
  @ApiProperty({ format: 'idn-email', example: 'ada@example.com' })
  email: string;

  @ApiProperty({ enum: ADDABLE_BY, enumName: 'AddableBy', description: 'Who may add you to groups.' })
  addable_by: AddableBy;

  static override of(user: User): AccountDto {
    return { ...UserDto.of(user), email: user.email!, addable_by: user.addableBy };
  }
}

/** The body of `PATCH /users/me`: one of the fields, or both. */
export class UpdateUserDto {
  @NameField({ description: 'What others see.', example: 'Ada Lovelace', optional: true })
  name?: string;

  @ApiProperty({
    enum: ADDABLE_BY,
    enumName: 'AddableBy',
    required: false,
    description: 'Who may add you to groups; `correspondents` are those to whom you have written in a private chat.',
  })
  @ValidateIf((_, value) => value !== undefined)
  @IsIn(ADDABLE_BY, { message: `must be ${ADDABLE_BY.join(' or ')}` })
  addable_by?: AddableBy;
}

/** The query string of `GET /users/lookup`. */
export class LookUpUsersQuery {
  @QueryIdList({ description: 'The ids of people, each once: `ids=1&ids=2`.', example: [1, 2], max: MAX_PAGE })
  ids: number[];
}

/** The query string of `GET /users`. */
export class SearchUsersQuery {
  @InForm(composed)
  @TextField({
    description: 'The beginning of any word of the name, or a whole email.',
    example: 'ada',
    min: 1,
    max: 254,
    blank: false,
  })
  query: string;

  @LimitQuery(20)
  limit: number = 20;

  @OffsetQuery()
  offset: number = 0;
}
