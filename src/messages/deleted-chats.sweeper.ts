import { Injectable, Logger, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { GroupDeleted } from '../chats/chat.events.js';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { SweepLoop } from '../common/sweep-loop.js';
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
  private readonly loop = new SweepLoop(
    new Logger(DeletedChatsSweeper.name),
    'deleted_groups',
    POLL_INTERVAL_MS,
    () => this.messages.deletedChatIds(),
    (chatId) => this.sweep(chatId),
  );

  constructor(
    private readonly messages: MessagesRepository,
    private readonly events: DomainEventBus,
  ) {}

  onApplicationBootstrap(): void {
    this.events.on(GroupDeleted, ({ chatId }) => void this.loop.sweep(chatId));
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  private async *sweep(chatId: number): AsyncGenerator<void> {
    while ((await this.messages.removeOldest(chatId, SLICE)) > 0) yield;
    await this.messages.removeDeletedChat(chatId);
  }
}
