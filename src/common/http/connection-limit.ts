import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { canonicalAddress, networkOf } from './client-address.js';

/**
 * The most connections that one address may have open on a node: the thousand of its sockets, and as many for requests.
 */
const MAX_CONNECTIONS = 2_000;

/**
 * Closes a connection at once, before it sends anything, when its address has too many open. An IPv6 address counts as
 * its /64. A trusted proxy, which brings everybody's connections, has no limit: it knows the addresses behind it.
 */
export function limitConnections(
  server: Server,
  isTrustedProxy: (address: string) => boolean,
  max = MAX_CONNECTIONS,
): void {
  const open = new Map<string, number>();
  // Node emits a connection once more when it is read again (`answerAllRequests`).
  const counted = new WeakSet<Socket>();
  server.prependListener('connection', (socket: Socket) => {
    const address = canonicalAddress(socket.remoteAddress ?? '');
    if (address === undefined || isTrustedProxy(address) || counted.has(socket)) return;
    const network = networkOf(address);
    const connections = (open.get(network) ?? 0) + 1;
    counted.add(socket);
    open.set(network, connections);
    socket.once('close', () => {
      const left = open.get(network)! - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
    if (connections > max) socket.destroy();
  });
}
