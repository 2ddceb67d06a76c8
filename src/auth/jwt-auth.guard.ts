import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import { AppError } from '../common/errors/app-error.js';
import type { Principal } from '../common/principal.js';
import { IS_PUBLIC } from '../common/http/public.decorator.js';
import { RevokedSessionsRegistry } from './revoked-sessions.registry.js';
import { type TokenPayload, TokensService } from './tokens.service.js';

/**
 * The global token guard: requires a valid access token on every HTTP route that isn't `@Public()`, and puts the
 * `Principal` on the request. Sockets have a guard of their own, `WsJwtGuard` on the gateway.
 */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokensService,
    private readonly revoked: RevokedSessionsRegistry,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() === 'ws') return true;
    if (this.reflector.getAllAndOverride<boolean>(IS_PUBLIC, [context.getHandler(), context.getClass()])) return true;
    await this.revoked.ensureFresh();
    return super.canActivate(context) as Promise<boolean>;
  }

  override handleRequest<T = Principal>(error: unknown, payload: T | false): T {
    if (error instanceof Error) throw error;
    if (!payload) throw new AppError('unauthorized');
    // Nest's types say T, but this is what `JwtStrategy.validate` returned.
    return this.tokens.principalOf(payload as unknown as TokenPayload) as T;
  }
}
