import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ChatsModule } from '../chats/chats.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { Admission } from './connections/admission.service.js';
import { ChangePublisher } from './delivery/chat-change.publisher.js';
import { ChatFeed } from './delivery/chat.feed.js';
import { DrainService } from './connections/drain.service.js';
import { HandshakeService } from './connections/handshake.service.js';
import { LogHorizon } from './delivery/log.watermark.js';
import { LogTail } from './delivery/log-tail.poller.js';
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
    ChangePublisher,
    ChatFeed,
    LogHorizon,
    LogTail,
    NodeBus,
    TypingService,
    PlainWebSocketServer,
    Admission,
    DrainService,
  ],
})
export class RealtimeModule {}
