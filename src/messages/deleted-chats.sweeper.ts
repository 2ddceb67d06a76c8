import { Injectable, Logger, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { GroupDeleted } from '../chats/chat.events.js';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { PollingLoop } from '../common/polling-loop.js';
import { MessagesRepository } from './messages.repository.js';

const SLICE = 2_000;

/** How often a node looks for groups that nobody sweeps, in milliseconds: whoever began may be gone. */
const POLL_INTERVAL_MS = 5_000;

/**
 * Removes the messages of deleted groups, which nobody can see any more, a slice at a time: a million rows in one
 * statement would run into the statement's timeout. What a stop, a crash or a lost database interrupts, any node goes on
 * with.
 */
@Injectable()
export class DeletedChatsSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DeletedChatsSweeper.name);
  private readonly polling = new PollingLoop(this.logger, 'deleted_groups', POLL_INTERVAL_MS, () => this.sweepAll());

  constructor(
    private readonly messages: MessagesRepository,
    private readonly events: DomainEventBus,
  ) {}

  onApplicationBootstrap(): void {
    this.events.on(GroupDeleted, () => void this.polling.runAgain());
    this.polling.start();
    void this.polling.runNow();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.polling.stop();
  }

  private async sweepAll(): Promise<void> {
    for (const chatId of await this.messages.deletedChatIds()) await this.sweep(chatId);
  }

  private async sweep(chatId: number): Promise<void> {
    let removed = SLICE;
    while (removed > 0 && !this.polling.isStopped()) removed = await this.messages.removeOldest(chatId, SLICE);
    if (!this.polling.isStopped()) await this.messages.removeDeletedChat(chatId);
  }
}
