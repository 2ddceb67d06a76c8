import { Injectable, Logger, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { GroupDeleted } from '../chats/chat.events.js';
import { DomainEvents } from '../common/domain-events.js';
import { MessagesRepository } from './messages.repository.js';

const SLICE = 2_000;

/**
 * Removes the messages of deleted groups, which nobody can see any more, a slice at a time: a million rows in one
 * statement would run into the statement's timeout. What a stop interrupts goes on at the next start.
 */
@Injectable()
export class DeletedChatsSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DeletedChatsSweeper.name);
  private work: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly messages: MessagesRepository,
    private readonly events: DomainEvents,
  ) {}

  onApplicationBootstrap(): void {
    this.events.on(GroupDeleted, ({ chatId }) => this.enqueue(() => this.sweep(chatId)));
    this.enqueue(async () => {
      for (const chatId of await this.messages.deletedChatIds()) await this.sweep(chatId);
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await this.work;
  }

  private enqueue(task: () => Promise<void>): void {
    this.work = this.work.then(task).catch((err: unknown) => this.logger.error({ err, event: 'group.sweep_failed' }));
  }

  private async sweep(chatId: number): Promise<void> {
    let removed = SLICE;
    while (removed > 0 && !this.stopped) removed = await this.messages.removeOldest(chatId, SLICE);
    if (!this.stopped) await this.messages.removeDeletedChat(chatId);
  }
}
