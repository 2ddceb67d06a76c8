import { Injectable } from '@nestjs/common';
import { ChatsService } from '../chats/chats.service.js';
import type { TypingCommand } from './dto/commands.dto.js';
import { RealtimePublisher } from './realtime.publisher.js';

@Injectable()
export class TypingService {
  constructor(
    private readonly chats: ChatsService,
    private readonly publisher: RealtimePublisher,
  ) {}

  /** Tells the other members; nothing is stored. @throws AppError `chat_not_found` */
  async announce(userId: number, { chat_id, is_typing }: TypingCommand): Promise<void> {
    const others = await this.chats.otherMemberIds(chat_id, userId);
    // Nobody's room would be everybody: Socket.IO takes an empty list of rooms for "all sockets".
    if (others.length > 0) this.publisher.to(others).emit('typing', { chat_id, user_id: userId, is_typing });
  }
}
