import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a page of this origin may open a WebSocket. Browsers enforce CORS for HTTP only; for a WebSocket the server
 * must check. The rule is the same: the origins in `allowed`, and the server's own. A request without an `Origin`
 * header does not come from a browser, and is accepted. `AdmissionService` calls it for every handshake.
 */
export function isOriginAllowed({ origin, host }: IncomingHttpHeaders, allowed: readonly string[] | true): boolean {
  if (origin === undefined || allowed === true || allowed.includes(origin)) return true;
  return host !== undefined && (origin === `https://${host}` || origin === `http://${host}`);
}
