import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors/app-error.js';
import { ShutdownState } from '../../common/shutdown.state.js';
import { ClientAddressFinder } from '../../common/http/client-address.finder.js';
import { type AppConfig, appConfig } from '../../config/app.config.js';
import { AddressRegistry } from './address.registry.js';
import { isOriginAllowed } from './allowed-origin.js';
import { refuseHandshake } from './refuse-handshake.js';
import { InjectRealtimeOptions, type RealtimeOptions } from '../realtime.options.js';
import { SocketServer } from '../socket.server.js';

/** The longest retry delay after `overloaded`, in milliseconds. The delays are random, to spread the retries. */
const SPREAD_MS = 5_000;

/**
 * Accepts or refuses a handshake before anything is spent on it, the token's check included. `SocketAdapter` and
 * `PlainWebSocketServer` ask it first of all. When a node has died or restarted, all its clients connect at once. Those
 * beyond `maxPending` are refused at once, each with a retry delay of its own. One address may not take the places of all
 * others: `AddressRegistry` has its bounds.
 */
@Injectable()
export class AdmissionService {
  /** How many refusals are held back. */
  private delayed = 0;

  constructor(
    private readonly sockets: SocketServer,
    private readonly shutdown: ShutdownState,
    private readonly addresses: AddressRegistry,
    private readonly clients: ClientAddressFinder,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
    @InjectRealtimeOptions() private readonly options: RealtimeOptions,
  ) {}

  /** How many connections have passed the handshake and not joined the namespace yet. */
  get pending(): number {
    const { engine, sockets } = this.sockets.io;
    return engine.clientsCount - sockets.sockets.size;
  }

  /**
   * Why the handshake is refused: `origin_not_allowed`, `unavailable`, `overloaded` or `rate_limited`; undefined when it
   * is accepted.
   */
  refusalOf(request: IncomingMessage): AppError | undefined {
    if (!isOriginAllowed(request.headers, this.config.corsOrigins)) {
      return new AppError('origin_not_allowed');
    }
    if (this.shutdown.hasBegun) return new AppError('unavailable', 'The server is stopping.');
    if (this.pending >= this.options.maxPending) {
      return new AppError('overloaded', 'Too many connect at once.', undefined, Math.random() * SPREAD_MS);
    }
    return this.addresses.refusalOf(this.clients.addressOf(request));
  }

  /**
   * Refuses the handshake. `rate_limited` is held back for `refusalDelayMs`, but for at most `maxPending` handshakes at
   * once; further ones are refused without delay.
   */
  refuse(request: IncomingMessage, refusal: AppError): void {
    const { maxPending, address } = this.options;
    if (refusal.code !== 'rate_limited' || this.delayed >= maxPending) return refuseHandshake(request, refusal);
    this.delayed += 1;
    // Node listens to no socket that asks for an upgrade, and the client may cut it meanwhile.
    request.socket.on('error', () => request.socket.destroy());
    setTimeout(() => {
      this.delayed -= 1;
      refuseHandshake(request, refusal);
    }, address.refusalDelayMs).unref();
  }
}
