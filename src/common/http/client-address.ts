import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';

/** An IPv4 address with a port, or an IPv6 address in brackets with or without one. */
const WITH_PORT = /^(?:(?<v4>[\d.]+):\d{1,5}|\[(?<v6>[^\]]+)\](?::\d{1,5})?)$/;

/**
 * A request with the canonical address of its client, as `ClientAddressFinder` finds it when the request comes in; empty when
 * the connection had closed by then. (`ip` is whoever connects, so maybe a proxy.)
 */
export interface AddressedRequest extends FastifyRequest {
  readonly address: string;
}

/**
 * The one form of an IP address: without port, brackets and zone, IPv6 as RFC 5952 writes it, and IPv4 inside IPv6 as
 * IPv4. Undefined for a text that is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  const { v4, v6 } = WITH_PORT.exec(text)?.groups ?? {};
  const [address = ''] = (v4 ?? v6 ?? text).split('%', 1);
  // ipaddr.js alone would also take the old forms of IPv4, such as 0x7f.1.
  if (isIP(address) === 0) return undefined;
  return ipaddr.process(address).toString();
}

/** What one customer has: an IPv4 address, or the /64 of an IPv6 one. `address` is canonical. Limits count by it. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`).toString()}/64`;
}
