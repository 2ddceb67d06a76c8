import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

const MAX_USER_AGENT = 200;

/**
 * What the server sees of a device. It helps people to recognise their devices in the list of sessions, and proves
 * nothing.
 */
export interface Client {
  /** At most 200 characters. */
  readonly userAgent: string | null;
  readonly address: string;
}

/** Controller parameter: the client that sent the request. */
export const CurrentClient = createParamDecorator((_: unknown, context: ExecutionContext): Client => {
  const { headers, ip } = context.switchToHttp().getRequest<FastifyRequest>();
  return {
    userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT) || null,
    // A server that listens on IPv6 too gets IPv4 addresses with the prefix ::ffff:. A closed connection has no
    // address.
    address: (ip as string | undefined)?.replace(/^::ffff:/, '') ?? '',
  };
});
