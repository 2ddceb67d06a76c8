import { UsePipes, ValidationPipe } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import {
  ConnectedSocket,
  MessageBody,
  type OnGatewayConnection,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import { MessagesService } from './messages.service.js';
import { SendMessageDto } from './send-message.dto.js';

// The gateway of the baseline (main.ts): one handler, as in the WebSocket guide of NestJS.

type ChatSocket = Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, { userId: number }>;

const roomOf = (userId: number): string => `user:${userId}`;

@WebSocketGateway()
export class ChatGateway implements OnGatewayConnection {
  @WebSocketServer()
  private readonly server: Server;

  constructor(
    private readonly jwt: JwtService,
    private readonly messages: MessagesService,
  ) {}

  handleConnection(socket: ChatSocket): void {
    try {
      const { token } = socket.handshake.auth as { token: string };
      const { sub } = this.jwt.verify<{ sub: string }>(token);
      socket.data.userId = Number(sub);
      void socket.join(roomOf(socket.data.userId));
    } catch {
      socket.disconnect();
    }
  }

  @UsePipes(new ValidationPipe({ whitelist: true, transform: true }))
  @SubscribeMessage('message:send')
  async sendMessage(@ConnectedSocket() socket: ChatSocket, @MessageBody() command: SendMessageDto): Promise<object> {
    const { message, replayed, memberIds } = await this.messages.send(socket.data.userId, command);
    if (!replayed) this.server.to(memberIds.map(roomOf)).emit('message:created', message);
    return { ok: true, data: message, replayed };
  }
}
