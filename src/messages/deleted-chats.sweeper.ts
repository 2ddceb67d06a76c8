import { Injectable, Logger, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { GroupDeleted } from '../chats/chat.events.js';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { PollingLoop } from '../common/polling-loop.js';
import { MessagesRepository } from './messages.repository.js';

/** How many messages one statement removes at most. */
const SLICE = 2_000;

/** How often a node polls for deleted groups, in milliseconds: the node that began to sweep one may have crashed. */
const POLL_INTERVAL_MS = 5_000;

/**
 * Removes the messages of deleted groups, and then the group's row in `chats`. It runs at the start, when a group is
 * deleted on this node, and every 5 s. Nobody can see these messages any more.
 *
 * It removes them in slices, because a million rows in one statement would exceed the statement timeout. Each slice can
 * be repeated: after a stop, a crash or an unavailable database, any node continues. Two nodes may sweep one group.
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
