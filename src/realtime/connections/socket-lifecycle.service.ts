import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DomainEventBus } from '../../common/domain-event.bus.js';
import { SocketConnected, SocketDisconnected } from '../../common/socket.events.js';
import type { ChatSocket } from '../chat-socket.js';
import { SocketServer } from '../socket.server.js';
import { SocketRevocationService } from './socket-revocation.service.js';

/** Publishes, as domain events, that sockets connect and leave. */
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
    // A session can end between the handshake and here. Such a socket counts as one that was never there.
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
