import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ChatsModule } from '../chats/chats.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { Admission } from './admission.js';
import { ChangePublisher } from './change.publisher.js';
import { ChatFeed } from './chat-feed.js';
import { DrainService } from './drain.service.js';
import { HandshakeService } from './handshake.service.js';
import { LogHorizon } from './log-horizon.js';
import { LogTail } from './log-tail.service.js';
import { NodeBus } from './node-bus.js';
import { PlainWebSocketServer } from './plain-websocket.server.js';
import { RealtimeGateway } from './realtime.gateway.js';
import { RealtimePublisher } from './realtime.publisher.js';
import { SocketExpiryService } from './socket-expiry.service.js';
import { SocketRevocationService } from './socket-revocation.service.js';
import { TypingService } from './typing.service.js';

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
