import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { compile } from '@fastify/proxy-addr';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';

/** An IPv4 address with a port, or an IPv6 address in brackets with or without one. */
const WITH_PORT = /^(?:(?<v4>[\d.]+):\d{1,5}|\[(?<v6>[^\]]+)\](?::\d{1,5})?)$/;

/**
 * A request with the canonical address of its client, as `addressFinder` finds it when the request comes in; empty when
 * the connection had closed by then. (`ip` is whoever connects, so maybe a proxy.)
 */
export interface AddressedRequest extends FastifyRequest {
  readonly address: string;
}

/** Finds the address of the client that sent a request; empty when its connection is closed already. */
export type AddressOf = (request: IncomingMessage) => string;

/**
 * Makes the one rule by which limits, sessions and logs know a client. Each trusted proxy has added to
 * `X-Forwarded-For` whom it has the request from, so the entries are read from the last to the first, until one isn't
 * that of a proxy. What is before it the client may have made up. An entry that is no address counts as the proxy's.
 */
export function addressFinder(trustedProxies: readonly string[]): AddressOf {
  const isProxy = compile([...trustedProxies]);
  return ({ socket, headers }) => {
    let address = canonicalAddress(socket.remoteAddress ?? '') ?? '';
    if (!isProxy(address, 0)) return address;
    for (const entry of entriesOf(headers['x-forwarded-for']).reverse()) {
      const before = canonicalAddress(entry);
      if (before === undefined) break;
      address = before;
      if (!isProxy(address, 0)) break;
    }
    return address;
  };
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

/** Node joins the headers of this name with commas. */
function entriesOf(header: string | string[] | undefined): string[] {
  return [header ?? []].flat().flatMap((value) => value.split(',').map((entry) => entry.trim()));
}
