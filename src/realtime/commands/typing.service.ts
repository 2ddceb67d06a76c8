import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { ChatsService } from '../../chats/chats.service.js';
import { MemberListCache } from '../../chats/member-list.cache.js';
import type { TypingCommand } from './dto/commands.dto.js';
import { NodeBus, type TypingNotice } from '../delivery/node.bus.js';
import { RealtimePublisher } from '../realtime.publisher.js';

/**
 * Publishes `typing` to the other members of a chat, on this node and through `NodeBus` on the others. Nothing is
 * stored, so a notice that is lost stays lost. The gateway calls `announce`.
 */
@Injectable()
export class TypingService implements OnModuleInit {
  private readonly logger = new Logger(TypingService.name);

  constructor(
    private readonly chats: ChatsService,
    private readonly memberLists: MemberListCache,
    private readonly publisher: RealtimePublisher,
    private readonly bus: NodeBus,
  ) {}

  onModuleInit(): void {
    this.bus.on('typing', (notices) => {
      for (const notice of notices) {
        this.publish(notice).catch((err: unknown) => this.logger.warn({ err, event: 'typing.lost' }));
      }
    });
  }

  /** Publishes to the other members; to nobody in a blocked chat. @throws AppError `chat_not_found` */
  async announce(userId: number, { chat_id, is_typing }: TypingCommand): Promise<void> {
    const notice = { chat_id, user_id: userId, is_typing, ...(await this.chats.audience(chat_id, userId)) };
    this.bus.send('typing', notice);
    await this.publish(notice);
  }

  private async publish({ chat_id, user_id, is_typing, members_seq, member_ids }: TypingNotice): Promise<void> {
    const userIds = member_ids ?? (await this.memberLists.load(chat_id, members_seq));
    const others = userIds.filter((userId) => userId !== user_id);
    this.publisher.to(others)?.emit('typing', { chat_id, user_id, is_typing });
  }
}
