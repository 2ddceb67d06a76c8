import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ChatsModule } from '../chats/chats.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { TypingService } from './commands/typing.service.js';
import { AddressRegistry } from './connections/address.registry.js';
import { AdmissionService } from './connections/admission.service.js';
import { ConnectionBoundsService } from './connections/connection-bounds.service.js';
import { DrainService } from './connections/drain.service.js';
import { HandshakeService } from './connections/handshake.service.js';
import { SocketExpiryService } from './connections/socket-expiry.service.js';
import { SocketLifecycleService } from './connections/socket-lifecycle.service.js';
import { SocketRevocationService } from './connections/socket-revocation.service.js';
import { ChatChangePublisher } from './delivery/chat-change.publisher.js';
import { CatchUpQueue } from './delivery/catch-up.queue.js';
import { ChatFeed } from './delivery/chat.feed.js';
import { LogTailPoller } from './delivery/log-tail.poller.js';
import { LogWatermark } from './delivery/log.watermark.js';
import { NodeBus } from './delivery/node.bus.js';
import { PublishedPositions } from './delivery/published-positions.js';
import { UnpublishedChatsPublisher } from './delivery/unpublished-chats.publisher.js';
import { UnpublishedChatsReader } from './delivery/unpublished-chats.reader.js';
import { PlainWebSocketServer } from './plain/plain-websocket.server.js';
import { RealtimeGateway } from './realtime.gateway.js';
import { DEFAULT_REALTIME_OPTIONS, REALTIME_OPTIONS } from './realtime.options.js';
import { RealtimePublisher } from './realtime.publisher.js';
import { SocketServer } from './socket.server.js';

/**
 * The sockets: `commands/` runs what clients send, `delivery/` publishes what is committed, `connections/` handles the
 * life of a connection, and `plain/` is the plain WebSocket. No other feature imports this module.
 */
@Module({
  imports: [AuthModule, ChatsModule, MessagesModule],
  providers: [
    { provide: REALTIME_OPTIONS, useValue: DEFAULT_REALTIME_OPTIONS },
    SocketServer,
    RealtimePublisher,
    RealtimeGateway,
    TypingService,
    AddressRegistry,
    AdmissionService,
    ConnectionBoundsService,
    HandshakeService,
    SocketLifecycleService,
    SocketExpiryService,
    SocketRevocationService,
    DrainService,
    NodeBus,
    LogWatermark,
    LogTailPoller,
    PublishedPositions,
    ChatFeed,
    CatchUpQueue,
    UnpublishedChatsReader,
    UnpublishedChatsPublisher,
    ChatChangePublisher,
    PlainWebSocketServer,
  ],
})
export class RealtimeModule {}
