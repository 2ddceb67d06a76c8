import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

/** The metadata key that `JwtAuthGuard` reads. */
export const IS_PUBLIC = 'isPublic';

/** The OpenAPI extension of an operation that needs no token. */
export const PUBLIC_EXTENSION = 'x-public';

/** For a route, or all routes of a controller, that need no token. All others need one. */
export const Public = (): MethodDecorator & ClassDecorator =>
  applyDecorators(SetMetadata(IS_PUBLIC, true), ApiExtension(PUBLIC_EXTENSION, true));
