import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** Who is calling, as proved by the access token. */
export interface Principal {
  readonly userId: number;
  readonly sessionId: string;
  /** When the access token runs out, in seconds since 1970. */
  readonly expiresAt: number;
}

/** The caller in a controller; the JWT guard has put it on the request. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal => context.switchToHttp().getRequest<{ user: Principal }>().user,
);

/** The caller's id in a controller. */
export const CurrentUserId = createParamDecorator(
  (_: unknown, context: ExecutionContext): number =>
    context.switchToHttp().getRequest<{ user: Principal }>().user.userId,
);
