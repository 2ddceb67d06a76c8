import { type ArgumentMetadata, Injectable, Param, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { AppError } from '../errors/app-error.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

@Injectable()
class ParseUuidPipe implements PipeTransform<string, string> {
  transform(value: string, { data }: ArgumentMetadata): string {
    if (!UUID.test(value)) throw AppError.invalidField(data ?? 'id', 'must be a UUID');
    return value;
  }
}

/** Controller parameter: a UUID in the path. @throws AppError `validation_failed` for another text */
export const UuidParam = (name: string): ParameterDecorator => Param(name, ParseUuidPipe);

/** Documents a UUID in the path. */
export const ApiUuid = (name: string): MethodDecorator =>
  ApiParam({ name, schema: { type: 'string', format: 'uuid' }, example: '7c0b3f5e-52a4-8d1c-9b7e-2f4a6c8e0d13' });
