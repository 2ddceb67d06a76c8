import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import type { Role } from '../../contract/chats.js';
import { NameField } from '../../common/validation/fields.js';

/** The body of `PATCH /groups/{id}`. */
export class UpdateGroupDto {
  @NameField({ description: 'The new name of the group.', example: 'Analytical engines' })
  name: string;
}

/** The body of `PATCH /groups/{group_id}/members/{user_id}`. */
export class SetRoleDto {
  @ApiProperty({ enum: ['owner', 'admin', 'member'], enumName: 'Role', description: '`owner` hands the group over.' })
  @IsIn(['owner', 'admin', 'member'], { message: 'must be owner, admin or member' })
  role: Role;
}
