import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsInt, IsString, Matches, Max, Min, ValidateBy, ValidateIf } from 'class-validator';
import { composed, InForm, opaque } from './text-form.js';
import { codePoints, hasNoControls, isPlain, isStorable, isVisible } from './text.js';

/**
 * The kinds of fields that DTOs of inputs use. Each is the validation rule and the OpenAPI of a field in one decorator.
 */

interface FieldOptions {
  readonly description?: string;
  readonly example?: unknown;
  readonly optional?: boolean;
}

const api = ({ description, example, optional }: FieldOptions, schema: ApiPropertyOptions): PropertyDecorator =>
  ApiProperty({ description, example, required: !optional, ...schema } as ApiPropertyOptions);

/** An optional field may be absent, but not `null`. (class-validator's `IsOptional` would accept null.) */
const presence = ({ optional }: FieldOptions): PropertyDecorator[] =>
  optional ? [ValidateIf((_, value) => value !== undefined)] : [];

/** A custom rule; its message may depend on the value. */
export const rule = (
  name: string,
  holds: (value: unknown) => boolean,
  message: string | ((value: unknown) => string),
): PropertyDecorator =>
  ValidateBy({
    name,
    validator: {
      validate: holds,
      defaultMessage: (args) => (typeof message === 'string' ? message : message(args?.value)),
    },
  });

/** A rule for text; that it is text is another one. */
const ofText =
  (holds: (text: string) => boolean) =>
  (value: unknown): boolean =>
    typeof value !== 'string' || holds(value);

interface TextOptions extends FieldOptions {
  readonly min: number;
  readonly max: number;
  /** Whether the text may be all white space; true by default. */
  readonly blank?: boolean;
  /** For the OpenAPI. A pattern there says what it can of the rules, in the syntax that all languages share. */
  readonly format?: string;
  readonly pattern?: string;
}

/** Patterns for the OpenAPI: no U+0000, the same with something that isn't white space, and no control characters. */
const STORABLE = '^[^\\x00]*$';
const NOT_BLANK = '^[^\\x00]*[^\\s\\x00][^\\x00]*$';
const NO_CONTROLS = '^[^\\x00-\\x1f\\x7f-\\x9f]*$';
const PLAIN_NOT_BLANK = '^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$';

/**
 * Text of `min` to `max` code points that PostgreSQL can store. With `blank: false` it must have more than white space.
 */
export function TextField(options: TextOptions): PropertyDecorator {
  const { min, max, blank = true, format, pattern = blank ? STORABLE : NOT_BLANK } = options;
  const length = (value: unknown): boolean =>
    typeof value === 'string' && value.length <= 2 * max && codePoints(value) >= min && codePoints(value) <= max;
  return applyDecorators(
    api(options, { type: String, format, minLength: min, maxLength: max, pattern }),
    ...presence(options),
    rule('length', length, `must be text of ${min} to ${max} characters`),
    rule('storable', ofText(isStorable), 'must not hold U+0000 or half a surrogate pair'),
    rule(
      'notBlank',
      ofText((text) => blank || text.trim() !== ''),
      'must not be blank',
    ),
  );
}

/** The name of a person or a group: a line of text that shows as it is. */
export function NameField(options: FieldOptions): PropertyDecorator {
  return applyDecorators(
    InForm(composed),
    TextField({ ...options, min: 1, max: 100, blank: false, pattern: PLAIN_NOT_BLANK }),
    rule('plain', ofText(isPlain), 'must not hold line breaks, other control characters or marks of direction'),
    rule('visible', ofText(isVisible), 'must not be invisible'),
  );
}

/** A password that is compared with a stored one. */
export const PasswordField = (options: Partial<TextOptions> = {}): PropertyDecorator =>
  applyDecorators(
    InForm(opaque),
    TextField({ example: 'correct horse', format: 'password', min: 1, max: 128, ...options }),
  );

/** A password that will be stored, of 8 characters or more. */
export const NewPasswordField = (options: FieldOptions): PropertyDecorator =>
  applyDecorators(
    PasswordField({ ...options, min: 8, pattern: NO_CONTROLS }),
    rule('plain', ofText(hasNoControls), 'must not hold control characters'),
  );

/** Text that matches a pattern. */
export function PatternField(options: FieldOptions & { pattern: RegExp; message: string }): PropertyDecorator {
  return applyDecorators(
    api(options, { type: String, pattern: options.pattern.source }),
    ...presence(options),
    IsString({ message: options.message }),
    Matches(options.pattern, { message: options.message }),
  );
}

/** The rule of the keys that clients make: 1–64 characters of printable ASCII without spaces. */
export const CLIENT_KEY = /^[!-~]{1,64}$/;
export const CLIENT_KEY_RULE = 'must be 1 to 64 characters of printable ASCII without spaces';

/** A key that the client makes, so that it can send the same again after a lost answer. */
export const KeyField = (options: FieldOptions): PropertyDecorator =>
  PatternField({ ...options, pattern: CLIENT_KEY, message: CLIENT_KEY_RULE });

/** A whole number as a JSON number. */
export function IntegerField(
  options: FieldOptions & { min: number; max: number; default?: number },
): PropertyDecorator {
  const { min, max } = options;
  const message = `must be a whole number from ${min} to ${max}`;
  return applyDecorators(
    api(options, { type: 'integer', format: 'int64', minimum: min, maximum: max, default: options.default }),
    ...presence(options),
    IsInt({ message }),
    Min(min, { message }),
    Max(max, { message }),
  );
}

/** An id: 1 … 2^53-1. */
export const IdField = (options: FieldOptions = {}): PropertyDecorator =>
  IntegerField({ example: 42, ...options, min: 1, max: Number.MAX_SAFE_INTEGER });

/** A list of different ids, of `min` (0 by default) to `max`. */
export function IdListField(options: FieldOptions & { min?: number; max: number }): PropertyDecorator {
  const { min, max } = options;
  const isId = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
  const isList = (value: unknown): boolean =>
    Array.isArray(value) &&
    value.length >= (min ?? 0) &&
    value.length <= max &&
    value.every(isId) &&
    new Set(value).size === value.length;
  return applyDecorators(
    api(options, {
      type: 'array',
      items: { type: 'integer', format: 'int64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
      minItems: min,
      maxItems: max,
      uniqueItems: true,
    }),
    ...presence(options),
    rule('idList', isList, `must be a list of ${min ? `${min} to` : 'up to'} ${max} different ids`),
  );
}

/** `true` or `false`. */
export const FlagField = (options: FieldOptions = {}): PropertyDecorator =>
  applyDecorators(
    api(options, { type: Boolean }),
    ...presence(options),
    IsBoolean({ message: 'must be true or false' }),
  );

/** A whole number in a query string, always optional. It is parsed; anything but plain digits is refused. */
export const QueryInteger = (
  options: FieldOptions & { min: number; max: number; default?: number },
): PropertyDecorator =>
  applyDecorators(
    IntegerField({ ...options, optional: true }),
    Transform(({ value }) => parseDigits(value)),
  );

/** A list of different ids in a query string: the parameter once for each. */
export const QueryIdList = (options: FieldOptions & { max: number }): PropertyDecorator =>
  applyDecorators(
    IdListField({ ...options, min: 1 }),
    Transform(({ value }) => [value].flat().map(parseDigits)),
  );

/** Parses plain decimal digits; returns any other value unchanged, which the rules then refuse. */
export function parseDigits(value: unknown): unknown {
  return typeof value === 'string' && /^(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
}
