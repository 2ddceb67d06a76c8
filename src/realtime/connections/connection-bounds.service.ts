import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { ClientAddressFinder } from '../../common/http/client-address.finder.js';
import { type AppConfig, appConfig } from '../../config/app.config.js';
import type { ChatSocket } from '../chat-socket.js';
import { InjectRealtimeOptions, type RealtimeOptions } from '../realtime.options.js';
import { SocketServer } from '../socket.server.js';
import { AddressRegistry } from './address.registry.js';
import { BoundedConnection } from './bounded-connection.js';
import type { EngineConnection } from './engine-connection.js';

/**
 * Gives each connection, Socket.IO or plain, its `BoundedConnection`, and counts the connection for its address.
 * `RATE_LIMIT=off` lifts the bound on packets.
 */
@Injectable()
export class ConnectionBoundsService implements OnModuleInit {
  private readonly logger = new Logger(ConnectionBoundsService.name);
  private readonly connections = new WeakMap<object, BoundedConnection>();

  constructor(
    private readonly sockets: SocketServer,
    private readonly addresses: AddressRegistry,
    private readonly clients: ClientAddressFinder,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
    @InjectRealtimeOptions() private readonly options: RealtimeOptions,
  ) {}

  onModuleInit(): void {
    const { io } = this.sockets;
    io.engine.on('connection', (connection: EngineConnection) => this.opened(connection));
    io.on('connection', (socket) => this.joined(socket));
  }

  /** Ends the connection of a refused socket, after the refusal is written. `HandshakeService` calls it. */
  refused({ conn }: ChatSocket): void {
    // Socket.IO writes the refusal in this turn of the event loop.
    setImmediate(() => this.connections.get(conn)?.leave());
  }

  /** The address of a socket's connection, for logs. */
  addressOf({ conn }: ChatSocket): string | undefined {
    return this.connections.get(conn)?.address;
  }

  /** Counts an event that is no command. `SocketAdapter` calls it. */
  countUnknown({ conn }: ChatSocket): void {
    this.connections.get(conn)?.countUnknown();
  }

  private opened(connection: EngineConnection): void {
    const address = this.clients.addressOf(connection.request);
    const key = this.addresses.opened(address);
    const { joinTimeoutMs, maxPackets, address: of } = this.options;
    const bounded = new BoundedConnection(connection, {
      address,
      joinTimeoutMs,
      windowMs: of.windowMs,
      maxPackets: this.config.rateLimit ? maxPackets : Infinity,
      countPackets: (packets) => this.addresses.countPackets(key, packets),
      onJoin: () => this.addresses.joined(key),
      onClose: (isPending) => this.addresses.closed(key, isPending),
      onCut: (reason) => {
        this.addresses.cut(key);
        this.logger.warn({ event: 'connection.cut', reason, address });
      },
    });
    this.connections.set(connection, bounded);
  }

  private joined(socket: ChatSocket): void {
    const bounded = this.connections.get(socket.conn)!;
    bounded.join();
    if (socket.connected) socket.once('disconnect', () => bounded.leave());
    else bounded.leave(); // Another listener of `connection` has disconnected it.
  }
}
