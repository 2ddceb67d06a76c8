import { type ArgumentMetadata, Injectable } from '@nestjs/common';
import { ContractValidationPipe } from '../common/validation/validation.pipe.js';
import { LoginDto } from './dto/auth.dto.js';
import { isRefreshGrant, RefreshGrantDto } from './dto/grant.dto.js';

/** Validates the body of a login: that of the refresh grant, or else that of the password grant. */
@Injectable()
export class GrantPipe extends ContractValidationPipe {
  override transform(value: unknown, metadata: ArgumentMetadata): unknown {
    return super.transform(value, { ...metadata, metatype: isRefreshGrant(value) ? RefreshGrantDto : LoginDto });
  }
}
