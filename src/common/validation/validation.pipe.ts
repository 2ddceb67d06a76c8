import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync, type ValidatorOptions } from 'class-validator';
import { AppError } from '../errors/app-error.js';
import type { FieldError } from '../../contract/errors.js';
import { isField, putInForm, rulesHold } from './compiled-rules.js';

/** class-validator's options: unknown fields are errors, and no error repeats a value. */
const OPTIONS: ValidatorOptions = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  validationError: { target: false, value: false },
};

/** The errors of one answer. Neither it nor the work for it grows with what is wrong. */
const MAX_ERRORS = 20;

const UNKNOWN_FIELD = 'is not a known field';

/** The declared types of parameters without a DTO, which have no rules. */
const PLAIN: ReadonlySet<unknown> = new Set([undefined, Object, String, Number, Boolean, Array]);

/**
 * Validates every input against its DTO, over HTTP (a global pipe) and on the gateway. Unknown fields, wrong types and
 * a body that isn't an object are refused; nothing is coerced, but text is put into the form of its field. Nest's own
 * pipe isn't used: it walks and copies each body three times, which costs more than the rules and, for a `sync` with a
 * thousand cursors, 15 ms.
 * @throws AppError `validation_failed` that names each wrong field, up to 20
 */
@Injectable()
export class ContractValidationPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type === 'custom' || PLAIN.has(metatype)) return value;
    if (type !== 'query') assertPlainObject(value);
    const unknown = unknownFields(metatype as Type<object>, value as object);
    if (unknown.length === MAX_ERRORS) throw AppError.invalid(unknown);
    const input = inputOf(type, metatype as Type<object>, value as object);
    putInForm(metatype as Type<object>, input);
    if (rulesHold(metatype as Type<object>, input)) return input;
    const errors = validateSync(input, OPTIONS).flatMap((error) => fieldErrors(error));
    // class-validator overlooks unknown fields with some names, such as `hasOwnProperty`.
    if (errors.length === 0) errors.push(...unknown);
    if (errors.length > 0) throw AppError.invalid(errors.slice(0, MAX_ERRORS));
    return input;
  }
}

/**
 * The unknown fields of an input, 20 at the most. An input with so many is refused for them alone: class-validator would
 * take 4 µs and 50 bytes of the answer for each, and a body has room for 27,000.
 */
function unknownFields(metatype: Type<object>, input: object): FieldError[] {
  const unknown: FieldError[] = [];
  for (const name in input) {
    if (isField(metatype, name)) continue;
    unknown.push({ field: shortened(name), message: UNKNOWN_FIELD });
    if (unknown.length === MAX_ERRORS) break;
  }
  return unknown;
}

/** The body or query as an instance of its class. Absent fields have the defaults of the class. */
function inputOf(type: ArgumentMetadata['type'], metatype: Type<object>, value: object): object {
  if (type === 'query') return plainToInstance(metatype, value);
  return Object.assign(new metatype(), value);
}

function assertPlainObject(value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw AppError.invalidField('body', 'must be a JSON object');
  }
  // Copying these would do more than set a field. They are refused like any unknown field.
  const reserved = ['__proto__', 'constructor', 'prototype'].find((key) => Object.hasOwn(value, key));
  if (reserved !== undefined) throw AppError.invalidField(reserved, UNKNOWN_FIELD);
}

/**
 * class-validator's tree of errors as a flat list, the first error of each field. The name of a nested field is its
 * path.
 */
function fieldErrors(error: ValidationError, parent = ''): FieldError[] {
  const field = shortened(`${parent}${error.property}`);
  const own = Object.entries(error.constraints ?? {}).slice(0, 1);
  return [
    ...own.map(([rule, message]) => ({
      field,
      message: rule === 'whitelistValidation' ? UNKNOWN_FIELD : message,
    })),
    ...(error.children ?? []).flatMap((child) => fieldErrors(child, `${field}.`)),
  ];
}

const shortened = (field: string): string => field.slice(0, 100);
