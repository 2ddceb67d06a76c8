import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { AppError, type FieldError } from './app-error.js';

/**
 * The contract's validation, on HTTP and on the gateway alike: unknown fields, wrong types and a body that is no object
 * are refused, nothing is coerced. @throws AppError `validation_failed` naming each field.
 */
@Injectable()
export class ContractValidationPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      exceptionFactory: (errors) => AppError.invalid(errors.flatMap((error) => fieldErrors(error))),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' && this.toValidate(metadata)) assertPlainObject(value);
    return super.transform(value, metadata);
  }

  /** Left as it came: Nest would make a number of `1e3` and of ` 1`, and the pipe of the parameter should see what was sent. */
  protected override transformPrimitive(value: unknown): unknown {
    return value;
  }
}

function assertPlainObject(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw AppError.invalidField('body', 'must be a JSON object');
  }
  // Nest strips or overlooks these; the contract refuses what it doesn't know.
  const reserved = ['__proto__', 'constructor', 'prototype'].find((key) => Object.hasOwn(value, key));
  if (reserved !== undefined) throw AppError.invalidField(reserved, 'is not a known field');
}

/** class-validator's tree as a flat list; a nested field is named by its path. */
function fieldErrors(error: ValidationError, parent = ''): FieldError[] {
  const field = `${parent}${error.property}`.slice(0, 100);
  const own = Object.entries(error.constraints ?? {}).slice(0, 1);
  return [
    ...own.map(([rule, message]) => ({
      field,
      message: rule === 'whitelistValidation' ? 'is not a known field' : message,
    })),
    ...(error.children ?? []).flatMap((child) => fieldErrors(child, `${field}.`)),
  ];
}
