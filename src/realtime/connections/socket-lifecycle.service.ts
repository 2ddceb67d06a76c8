import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DomainEventBus } from '../../common/domain-event.bus.js';
import { SocketConnected, SocketDisconnected } from '../../common/socket.events.js';
import type { ChatSocket } from '../chat-socket.js';
import { SocketServer } from '../socket.server.js';
import { SocketRevocationService } from './socket-revocation.service.js';

/**
 * Logs that sockets connect and disconnect, and publishes it as the domain events `SocketConnected` and
 * `SocketDisconnected`. Each socket that was published as connected is published once as disconnected.
 */
@Injectable()
export class SocketLifecycleService implements OnModuleInit {
  private readonly logger = new Logger(SocketLifecycleService.name);

  constructor(
    private readonly sockets: SocketServer,
    private readonly revocation: SocketRevocationService,
    private readonly events: DomainEventBus,
  ) {}

  onModuleInit(): void {
    this.sockets.io.on('connection', (socket) => this.connected(socket));
  }

  private connected(socket: ChatSocket): void {
    // The session may have ended since the handshake. Such a socket is not published as connected, nor as disconnected.
    if (this.revocation.cutIfRevoked(socket)) return;
    socket.once('disconnect', (reason) => this.left(socket, reason));
    const { id, data } = socket;
    const { userId, sessionId } = data.principal;
    void this.events.publish(new SocketConnected(id, data.principal));
    this.logger.log({ event: 'socket.connected', socket_id: id, user_id: userId, session_id: sessionId });
  }

  private left({ id, data }: ChatSocket, reason: string): void {
    void this.events.publish(new SocketDisconnected(id, data.principal, reason));
    this.logger.log({ event: 'socket.left', socket_id: id, user_id: data.principal.userId, reason });
  }
}
