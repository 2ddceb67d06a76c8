import { UseFilters, UseGuards, UsePipes } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ContractValidationPipe } from '../common/validation/validation.pipe.js';
import type { Answer } from '../contract/events.js';
import { EditMessageCommand, SendMessageCommand } from '../messages/dto/message-input.dto.js';
import { SyncRequestDto } from '../messages/dto/sync.dto.js';
import { MessageEditsService } from '../messages/message-edits.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { ReceiptsService } from '../messages/receipts.service.js';
import { SyncService } from '../messages/sync.service.js';
import { type ChatSocket, SocketUserId } from './chat-socket.js';
import { CommandLimitGuard } from './commands/command-limit.guard.js';
import { MessageCommand, RefreshCommand, TypingCommand } from './commands/dto/commands.dto.js';
import { SocketErrorFilter } from './commands/socket-error.filter.js';
import { TypingService } from './commands/typing.service.js';
import { ExpiredTokenAllowed, WsJwtGuard } from './commands/ws-jwt.guard.js';
import { SocketExpiryService } from './connections/socket-expiry.service.js';

/**
 * The commands of docs/realtime.md. A handler calls one service and returns the data of the ack; it decides nothing.
 * `CommandDispatcher` calls the handlers. `delivery/` publishes what a command has changed, as it does for REST.
 * `connections/` holds what happens when sockets connect and leave.
 */
@WebSocketGateway()
@UseGuards(WsJwtGuard, CommandLimitGuard)
@UsePipes(ContractValidationPipe)
@UseFilters(SocketErrorFilter)
export class RealtimeGateway {
  constructor(
    private readonly messages: MessagesService,
    private readonly edits: MessageEditsService,
    private readonly receipts: ReceiptsService,
    private readonly syncs: SyncService,
    private readonly typing: TypingService,
    private readonly expiry: SocketExpiryService,
  ) {}

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
    return { data: await this.edits.edit(userId, message_id, text) };
  }

  @SubscribeMessage('message:delete')
  async deleteMessage(
    @SocketUserId() userId: number,
    @MessageBody() { message_id }: MessageCommand,
  ): Promise<Answer<'message:delete'>> {
    return { data: await this.edits.delete(userId, message_id) };
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
  async sync(@SocketUserId() userId: number, @MessageBody() command: SyncRequestDto): Promise<Answer<'sync'>> {
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
