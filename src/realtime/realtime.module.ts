import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ChatsModule } from '../chats/chats.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { AdmissionService } from './connections/admission.service.js';
import { ChatChangePublisher } from './delivery/chat-change.publisher.js';
import { ChatFeed } from './delivery/chat.feed.js';
import { DrainService } from './connections/drain.service.js';
import { HandshakeService } from './connections/handshake.service.js';
import { LogWatermark } from './delivery/log.watermark.js';
import { LogTailPoller } from './delivery/log-tail.poller.js';
import { NodeBus } from './delivery/node.bus.js';
import { PlainWebSocketServer } from './plain/plain-websocket.server.js';
import { RealtimeGateway } from './realtime.gateway.js';
import { RealtimePublisher } from './realtime.publisher.js';
import { SocketExpiryService } from './connections/socket-expiry.service.js';
import { SocketRevocationService } from './connections/socket-revocation.service.js';
import { TypingService } from './commands/typing.service.js';

@Module({
  imports: [AuthModule, ChatsModule, MessagesModule, MetricsModule],
  providers: [
    RealtimeGateway,
    HandshakeService,
    SocketExpiryService,
    SocketRevocationService,
    RealtimePublisher,
    ChatChangePublisher,
    ChatFeed,
    LogWatermark,
    LogTailPoller,
    NodeBus,
    TypingService,
    PlainWebSocketServer,
    AdmissionService,
    DrainService,
  ],
})
export class RealtimeModule {}
