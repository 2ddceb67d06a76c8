import type { IncomingMessage } from 'node:http';
import { compile } from '@fastify/proxy-addr';
import { Global, Inject, Injectable, Logger, Module } from '@nestjs/common';
import { type AppConfig, appConfig } from '../../config/app.config.js';
import { canonicalAddress } from './client-address.js';

/**
 * The one rule by which limits, sessions and logs know a client. Each trusted proxy has added to `X-Forwarded-For` whom
 * it has the request from, so the entries are read from the last to the first, until one isn't that of a proxy. What is
 * before it the client may have made up. An entry that is no address counts as the proxy's.
 *
 * Behind a proxy that `TRUST_PROXY` doesn't name, all clients share the proxy's address, and so its limits. The first
 * request that looks like it is logged; a client that makes the header up looks the same.
 */
@Injectable()
export class ClientAddressFinder {
  private readonly logger = new Logger(ClientAddressFinder.name);
  private readonly trusts: (address: string, hop: number) => boolean;
  private hasWarned = false;

  constructor(@Inject(appConfig.KEY) { trustedProxies }: Pick<AppConfig, 'trustedProxies'>) {
    this.trusts = compile([...trustedProxies]);
  }

  /** Whether `TRUST_PROXY` names this canonical address. */
  isTrustedProxy(address: string): boolean {
    return this.trusts(address, 0);
  }

  /** The address of the client that sent a request or a handshake; empty when its connection is closed already. */
  addressOf({ socket, headers }: IncomingMessage): string {
    const forwardedFor = headers['x-forwarded-for'];
    let address = canonicalAddress(socket.remoteAddress ?? '') ?? '';
    if (!this.isTrustedProxy(address)) {
      if (forwardedFor !== undefined) this.warn(address);
      return address;
    }
    for (const entry of entriesOf(forwardedFor).reverse()) {
      const before = canonicalAddress(entry);
      if (before === undefined) break;
      address = before;
      if (!this.isTrustedProxy(address)) break;
    }
    return address;
  }

  private warn(address: string): void {
    if (this.hasWarned) return;
    this.hasWarned = true;
    this.logger.warn({
      event: 'proxy.not_trusted',
      address,
      msg: 'X-Forwarded-For was ignored, as TRUST_PROXY does not name its sender. If that is your proxy, all clients share its limits.',
    });
  }
}

@Global()
@Module({ providers: [ClientAddressFinder], exports: [ClientAddressFinder] })
export class ClientAddressModule {}

/** Node joins the headers of this name with commas. */
function entriesOf(header: string | string[] | undefined): string[] {
  return [header ?? []].flat().flatMap((value) => value.split(',').map((entry) => entry.trim()));
}
