import { Injectable, type OnModuleInit } from '@nestjs/common';
import { RevokedSessionsRegistry } from '../../auth/revoked-sessions.registry.js';
import { SessionsRevoked } from '../../auth/session.events.js';
import { DomainEventBus } from '../../common/domain-event.bus.js';
import { NodeBus } from '../delivery/node.bus.js';
import type { ChatSocket } from '../chat-socket.js';
import { SocketServer } from '../socket.server.js';

/**
 * Disconnects the sockets of sessions that have ended, on the event `SessionsRevoked`. It also notifies the other nodes
 * through `NodeBus`, and publishes their notifications here as the same event. A session has no room of its own: its
 * sockets are found among those of its user.
 */
@Injectable()
export class SocketRevocationService implements OnModuleInit {
  constructor(
    private readonly sockets: SocketServer,
    private readonly revoked: RevokedSessionsRegistry,
    private readonly events: DomainEventBus,
    private readonly bus: NodeBus,
  ) {}

  onModuleInit(): void {
    this.bus.on('revoked', (sessions) => void this.events.publish(new SessionsRevoked(sessions, 'elsewhere')));
    this.events.on(SessionsRevoked, ({ sessions, reason }) => {
      if (reason !== 'elsewhere') this.bus.send('revoked', ...sessions);
      for (const { userId } of sessions) {
        for (const socket of this.sockets.socketsOf(userId)) this.cutIfRevoked(socket);
      }
    });
  }

  /**
   * Disconnects the socket if its session has ended, and says whether it has. `SocketLifecycleService` calls it for
   * each new socket, whose session may have ended before the socket was in its room.
   */
  cutIfRevoked(socket: ChatSocket): boolean {
    if (!this.revoked.has(socket.data.principal.sessionId)) return false;
    socket.emit('session:revoked', {});
    socket.disconnect(true);
    return true;
  }
}
