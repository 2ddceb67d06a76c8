import { Logger, UseFilters, UseGuards, UsePipes } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import { ContractValidationPipe } from '../common/validation/validation.pipe.js';
import { EditMessageCommand, SendMessageCommand } from '../messages/dto/message-input.dto.js';
import { MessageEditsService } from '../messages/message-edits.service.js';
import { SyncDto } from '../messages/dto/sync.dto.js';
import { MessagesService } from '../messages/messages.service.js';
import { ReceiptsService } from '../messages/receipts.service.js';
import { SyncService } from '../messages/sync.service.js';
import { MetricsService } from '../metrics/metrics.service.js';
import { type ChatServer, type ChatSocket, SocketUserId } from './chat-socket.js';
import { CommandLimitGuard } from './commands/command-limit.guard.js';
import type { Answer } from '../contract/events.js';
import { MessageCommand, RefreshCommand, TypingCommand } from './commands/dto/commands.dto.js';
import { DrainService } from './connections/drain.service.js';
import { HandshakeService } from './connections/handshake.service.js';
import { PlainWebSocketServer } from './plain/plain-websocket.server.js';
import { RealtimePublisher } from './realtime.publisher.js';
import { SocketErrorFilter } from './commands/socket-error.filter.js';
import { SocketExpiryService } from './connections/socket-expiry.service.js';
import { SocketRevocationService } from './connections/socket-revocation.service.js';
import { TypingService } from './commands/typing.service.js';
import { ExpiredTokenAllowed, WsJwtGuard } from './commands/ws-jwt.guard.js';

/** The commands of the contract's section 7. What they cause is published by `RealtimePublisher`, as it is for REST. */
@WebSocketGateway()
@UseGuards(WsJwtGuard, CommandLimitGuard)
@UsePipes(ContractValidationPipe)
@UseFilters(SocketErrorFilter)
export class RealtimeGateway
  implements OnGatewayInit<ChatServer>, OnGatewayConnection<ChatSocket>, OnGatewayDisconnect<ChatSocket>
{
  private readonly logger = new Logger(RealtimeGateway.name);

  constructor(
    private readonly handshake: HandshakeService,
    private readonly expiry: SocketExpiryService,
    private readonly revocation: SocketRevocationService,
    private readonly publisher: RealtimePublisher,
    private readonly plain: PlainWebSocketServer,
    private readonly drain: DrainService,
    private readonly messages: MessagesService,
    private readonly changes: MessageEditsService,
    private readonly receipts: ReceiptsService,
    private readonly syncs: SyncService,
    private readonly typing: TypingService,
    private readonly metrics: MetricsService,
  ) {}

  afterInit(server: ChatServer): void {
    server.use(this.handshake.authenticate);
    this.publisher.attach(server);
    this.revocation.attach(server);
    this.plain.attach(server);
    this.drain.attach(server);
  }

  handleConnection(socket: ChatSocket): void {
    const { userId, sessionId } = socket.data.principal;
    // First of all: Nest doesn't hear yet when the socket leaves, so nothing would stop a clock.
    if (this.revocation.cutIfRevoked(socket)) return;
    this.expiry.watch(socket);
    this.logger.log({ event: 'socket.connected', socket_id: socket.id, user_id: userId, session_id: sessionId });
  }

  handleDisconnect(socket: ChatSocket, reason: string): void {
    this.expiry.forget(socket);
    this.metrics.countDisconnect(reason);
    this.logger.log({ event: 'socket.left', socket_id: socket.id, user_id: socket.data.principal.userId, reason });
  }

  @SubscribeMessage('message:send')
  async sendMessage(
    @SocketUserId() userId: number,
    @MessageBody() command: SendMessageCommand,
  ): Promise<Answer<'message:send'>> {
    const { message, replayed } = await this.messages.send(userId, command);
    return { data: message, replayed };
  }

  @SubscribeMessage('message:edit')
  async editMessage(
    @SocketUserId() userId: number,
    @MessageBody() { message_id, text }: EditMessageCommand,
  ): Promise<Answer<'message:edit'>> {
    return { data: await this.changes.edit(userId, message_id, text) };
  }

  @SubscribeMessage('message:delete')
  async deleteMessage(
    @SocketUserId() userId: number,
    @MessageBody() { message_id }: MessageCommand,
  ): Promise<Answer<'message:delete'>> {
    return { data: await this.changes.delete(userId, message_id) };
  }

  @SubscribeMessage('message:read')
  async readMessage(
    @SocketUserId() userId: number,
    @MessageBody() { message_id }: MessageCommand,
  ): Promise<Answer<'message:read'>> {
    return { data: await this.receipts.read(userId, message_id) };
  }

  @SubscribeMessage('typing')
  async announceTyping(
    @SocketUserId() userId: number,
    @MessageBody() command: TypingCommand,
  ): Promise<Answer<'typing'>> {
    await this.typing.announce(userId, command);
    return { data: {} };
  }

  @SubscribeMessage('sync')
  async sync(@SocketUserId() userId: number, @MessageBody() command: SyncDto): Promise<Answer<'sync'>> {
    return { data: await this.syncs.sync(userId, command) };
  }

  @ExpiredTokenAllowed()
  @SubscribeMessage('auth:refresh')
  refreshToken(
    @ConnectedSocket() socket: ChatSocket,
    @MessageBody() { token }: RefreshCommand,
  ): Answer<'auth:refresh'> {
    return { data: this.expiry.refresh(socket, token) };
  }
}
