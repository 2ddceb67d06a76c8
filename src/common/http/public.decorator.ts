import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const IS_PUBLIC = 'isPublic';

/** How the OpenAPI says that an operation needs no token. */
export const PUBLIC_EXTENSION = 'x-public';

/** Marks a route that needs no token. Whatever lacks the mark is closed. */
export const Public = (): MethodDecorator & ClassDecorator =>
  applyDecorators(SetMetadata(IS_PUBLIC, true), ApiExtension(PUBLIC_EXTENSION, true));
