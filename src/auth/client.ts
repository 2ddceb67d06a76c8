import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

const MAX_USER_AGENT = 200;

/** Who uses a session, as far as the server can see; it helps people to tell their devices apart, and proves nothing. */
export interface Client {
  /** At most 200 characters. */
  readonly userAgent: string | null;
  readonly address: string;
}

/** The client at the other end of a request, in a controller. */
export const CurrentClient = createParamDecorator((_: unknown, context: ExecutionContext): Client => {
  const { headers, ip } = context.switchToHttp().getRequest<FastifyRequest>();
  return {
    userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT) || null,
    // IPv4 as such, also where the server listens on both. A client that has gone by now has no address.
    address: (ip as string | undefined)?.replace(/^::ffff:/, '') ?? '',
  };
});
