import { Injectable } from '@nestjs/common';
import { RevokedSessionsRegistry } from '../../auth/revoked-sessions.registry.js';
import { SessionsRevoked } from '../../auth/session.events.js';
import { DomainEventBus } from '../../common/domain-event.bus.js';
import { NodeBus } from '../delivery/node.bus.js';
import { type ChatServer, type ChatSocket, userRoom } from '../chat-socket.js';

/** Cuts the sockets of sessions that have ended. They are looked for among their user's: a session needs no room. */
@Injectable()
export class SocketRevocationService {
  constructor(
    private readonly revoked: RevokedSessionsRegistry,
    private readonly events: DomainEventBus,
    private readonly bus: NodeBus,
  ) {}

  /** Starts to watch over the sockets of this server. */
  attach({ sockets }: ChatServer): void {
    this.bus.on('revoked', (sessions) => void this.events.publish(new SessionsRevoked(sessions)));
    this.events.on(SessionsRevoked, ({ sessions, reason }) => {
      // With a reason, it happened here.
      if (reason) this.bus.send('revoked', ...sessions);
      for (const { userId } of sessions) {
        const ids = sockets.adapter.rooms.get(userRoom(userId)) ?? [];
        for (const id of [...ids]) this.cutIfRevoked(sockets.sockets.get(id)!);
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
