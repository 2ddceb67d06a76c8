import { Injectable, Logger, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { GroupDeleted } from '../chats/chat.events.js';
import { DomainEvents } from '../common/domain-event.bus.js';
import { RepeatedLook } from '../common/polling-loop.js';
import { MessagesRepository } from './messages.repository.js';

const SLICE = 2_000;

/** How often a node looks for groups that nobody sweeps, in milliseconds: whoever began may be gone. */
const LOOK_MS = 5_000;

/**
 * Removes the messages of deleted groups, which nobody can see any more, a slice at a time: a million rows in one
 * statement would run into the statement's timeout. What a stop, a crash or a lost database interrupts, any node goes on
 * with.
 */
@Injectable()
export class DeletedChatsSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DeletedChatsSweeper.name);
  private readonly looks = new RepeatedLook(this.logger, 'deleted_groups', LOOK_MS, () => this.sweepAll());

  constructor(
    private readonly messages: MessagesRepository,
    private readonly events: DomainEvents,
  ) {}

  onApplicationBootstrap(): void {
    this.events.on(GroupDeleted, () => void this.looks.afresh());
    this.looks.start();
    void this.looks.now();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.looks.stop();
  }

  private async sweepAll(): Promise<void> {
    for (const chatId of await this.messages.deletedChatIds()) await this.sweep(chatId);
  }

  private async sweep(chatId: number): Promise<void> {
    let removed = SLICE;
    while (removed > 0 && !this.looks.isStopped()) removed = await this.messages.removeOldest(chatId, SLICE);
    if (!this.looks.isStopped()) await this.messages.removeDeletedChat(chatId);
  }
}
