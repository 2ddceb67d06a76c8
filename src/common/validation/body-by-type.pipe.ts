import { type ArgumentMetadata, Injectable, type Type } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';
import { ContractValidationPipe } from './validation.pipe.js';

/** Validates a body that has several shapes, such as that of `POST /chats`: its field `type` selects the class. */
@Injectable()
export class BodyByTypePipe extends ContractValidationPipe {
  constructor(private readonly classes: Readonly<Record<string, Type>>) {
    super();
  }

  override transform(value: unknown, metadata: ArgumentMetadata): unknown {
    const type = (value as { type?: unknown } | null | undefined)?.type;
    const metatype = typeof type === 'string' && Object.hasOwn(this.classes, type) ? this.classes[type] : undefined;
    if (!metatype) throw AppError.invalidField('type', `must be one of ${Object.keys(this.classes).join(', ')}`);
    return super.transform(value, { ...metadata, metatype });
  }
}
