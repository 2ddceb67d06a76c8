import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { ChatsService } from '../chats/chats.service.js';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { PollingLoop } from '../common/polling-loop.js';
import { MessagesAppended } from './message.events.js';
import { MessagesRepository } from './messages.repository.js';

/** How often the activity of a chat is written at the most, in milliseconds. */
const INTERVAL_MS = 1_000;

/** Chats of one statement. */
const CHATS_AT_ONCE = 200;

/** The newest messages whose chats are looked at when a node starts. */
const RECENT_MESSAGES = 10_000;

/**
 * Moves chats to the top of the lists of their members, behind the sends: `append_messages` sets the time of the newest
 * message in `chats` alone, and once a second this copies it to the memberships, by which lists are ordered
 * (`chat_members.active_at`). So a send costs the same whatever the number of members.
 *
 * Each node does it for the messages that it has stored. What a node leaves behind when it crashes, the next start of
 * any node does: it looks at the chats of the newest messages.
 */
@Injectable()
export class ActivityWriter implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ActivityWriter.name);
  /** The chats that may be behind. */
  private readonly chatIds = new Set<number>();
  private readonly polling = new PollingLoop(this.logger, 'activity', INTERVAL_MS, () => this.writeAll());

  constructor(
    private readonly chats: ChatsService,
    private readonly messages: MessagesRepository,
    private readonly events: DomainEventBus,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.events.on(MessagesAppended, ({ chatId }) => void this.chatIds.add(chatId));
    for (const chatId of await this.messages.recentChatIds(RECENT_MESSAGES)) this.chatIds.add(chatId);
    this.polling.start();
  }

  /** Writes what is left over. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.polling.stop();
    await this.write();
  }

  /** Writes now; resolves when it is done, or the database is unavailable (the next second tries again). */
  write(): Promise<void> {
    return this.polling.runNow();
  }

  private async writeAll(): Promise<void> {
    // In the order of the ids, as in all statements that take rows of several chats.
    const chatIds = [...this.chatIds].sort((one, other) => one - other);
    while (chatIds.length > 0) {
      const some = chatIds.splice(0, CHATS_AT_ONCE);
      for (const chatId of some) this.chatIds.delete(chatId);
      try {
        for (const chatId of await this.chats.recordActivity(some)) this.chatIds.add(chatId);
      } catch (error) {
        for (const chatId of some) this.chatIds.add(chatId);
        throw error;
      }
    }
  }
}
