import { Injectable, type OnModuleInit } from '@nestjs/common';
import { RevokedSessionsRegistry } from '../../auth/revoked-sessions.registry.js';
import { SessionsRevoked } from '../../auth/session.events.js';
import { DomainEventBus } from '../../common/domain-event.bus.js';
import { NodeBus } from '../delivery/node.bus.js';
import type { ChatSocket } from '../chat-socket.js';
import { SocketServer } from '../socket.server.js';

/** Cuts the sockets of sessions that have ended. They are looked for among their user's: a session needs no room. */
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

  /** Whether the socket's session has ended, as it can between handshake and joining the room; then the socket is cut. */
  cutIfRevoked(socket: ChatSocket): boolean {
    if (!this.revoked.has(socket.data.principal.sessionId)) return false;
    socket.emit('session:revoked', {});
    socket.disconnect(true);
    return true;
  }
}
