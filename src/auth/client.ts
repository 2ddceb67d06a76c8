import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { AddressedRequest } from '../common/http/client-address.js';
import { headerText } from '../common/http/utf8.js';

const MAX_USER_AGENT = 200;

/**
 * What the server sees of a device. It helps people to recognise their devices in the list of sessions, and proves
 * nothing.
 */
export interface Client {
  /** At most 200 characters. */
  readonly userAgent: string | null;
  /** The canonical IP address; empty when the connection is closed already. */
  readonly address: string;
}

/** Controller parameter: the client that sent the request. */
export const CurrentClient = createParamDecorator((_: unknown, context: ExecutionContext): Client => {
  const { headers, address } = context.switchToHttp().getRequest<AddressedRequest>();
  return {
    userAgent: [...headerText(headers['user-agent'] ?? '', 'User-Agent')].slice(0, MAX_USER_AGENT).join('') || null,
    address,
  };
});
