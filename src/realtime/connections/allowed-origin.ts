import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a WebSocket may be opened from where the request says it comes from. Browsers apply CORS to HTTP only and leave
 * a WebSocket to the server, so this is the same rule: the named origins and the server's own. A request without an
 * Origin isn't a browser's.
 */
export function isOriginAllowed({ origin, host }: IncomingHttpHeaders, allowed: readonly string[] | true): boolean {
  if (origin === undefined || allowed === true || allowed.includes(origin)) return true;
  return host !== undefined && (origin === `https://${host}` || origin === `http://${host}`);
}
