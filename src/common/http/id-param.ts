import { type ArgumentMetadata, Injectable, Param, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { AppError } from '../errors/app-error.js';
import { parseDigits } from '../validation/fields.js';

@Injectable()
class ParseIdPipe implements PipeTransform<string, number> {
  transform(value: string, { data }: ArgumentMetadata): number {
    const id = parseDigits(value);
    if (!Number.isSafeInteger(id) || id === 0) throw AppError.invalidField(data ?? 'id', 'must be an id');
    return id as number;
  }
}

/** Controller parameter: an id in the path. @throws AppError `validation_failed` for a text that can't be an id */
export const IdParam = (name: string): ParameterDecorator => Param(name, ParseIdPipe);

/** Documents an id in the path. */
export const ApiId = (name: string): MethodDecorator =>
  ApiParam({ name, schema: { type: 'integer', format: 'int64', minimum: 1 }, example: 42 });
