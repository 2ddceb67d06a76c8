import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** The caller of a request or a command, as the access token proves. */
export interface Principal {
  readonly userId: number;
  readonly sessionId: string;
  /** When the access token expires, in seconds since 1970. */
  readonly expiresAt: number;
}

/** Controller parameter: the caller, whom `JwtAuthGuard` has put on the request. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal => context.switchToHttp().getRequest<{ user: Principal }>().user,
);

/** Controller parameter: the id of the caller. */
export const CurrentUserId = createParamDecorator(
  (_: unknown, context: ExecutionContext): number =>
    context.switchToHttp().getRequest<{ user: Principal }>().user.userId,
);
