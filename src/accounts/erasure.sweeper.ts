import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { BlocksService } from '../chats/blocks.service.js';
import { ChatsService } from '../chats/chats.service.js';
import { AppError } from '../common/app-error.js';
import { GroupsService } from '../groups/groups.service.js';
import { OwnMessages } from '../messages/own-messages.service.js';
import { UsersService } from '../users/users.service.js';

const RETRY_MS = 5_000;

/**
 * Removes what is left of closed accounts: they leave their groups, their private chats are shut, and their messages
 * become tombstones. In many small transactions, each the ordinary one for what it does, so everybody hears of it as ever,
 * and each safe to repeat: what a stop or a crash interrupts goes on at the next start.
 */
@Injectable()
export class ErasureSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ErasureSweeper.name);
  private readonly stop = new AbortController();
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly users: UsersService,
    private readonly groups: GroupsService,
    private readonly chats: ChatsService,
    private readonly blocks: BlocksService,
    private readonly messages: OwnMessages,
  ) {}

  onApplicationBootstrap(): void {
    void this.enqueue(async () => {
      for (const userId of await this.users.toErase()) await this.eraseAll(userId);
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.work;
  }

  /** Erases a closed account when those before it are done; resolves then. */
  erase(userId: number): Promise<void> {
    return this.enqueue(() => this.eraseAll(userId));
  }

  private enqueue(task: () => Promise<void>): Promise<void> {
    return (this.work = this.work.then(() => this.persist(task)));
  }

  /** The database may be away; then it goes on when that is back. */
  private async persist(task: () => Promise<void>): Promise<void> {
    while (!this.isStopped()) {
      try {
        await task();
        return;
      } catch (err) {
        this.logger.warn({ err, event: 'account.erasure_interrupted' });
        await delay(RETRY_MS, undefined, { signal: this.stop.signal }).catch(() => undefined);
      }
    }
  }

  private async eraseAll(userId: number): Promise<void> {
    // First of all: whoever isn't in a group, and can't write in a shut chat, has nothing under way any more.
    await this.leaveGroups(userId);
    await this.blocks.shutAll(userId);
    for await (const chatId of this.chats.writtenIn(userId)) {
      if (this.isStopped()) return;
      await this.messages.erase(chatId, userId, () => this.isStopped());
    }
    if (this.isStopped()) return;
    await this.users.markErased(userId);
    this.logger.log({ event: 'account.erased', user_id: userId });
  }

  private async leaveGroups(userId: number): Promise<void> {
    for await (const groupId of this.chats.groupsOf(userId)) {
      if (this.isStopped()) return;
      await this.groups.removeMember(groupId, userId, userId).catch(ignoreAbsent);
    }
  }

  private isStopped(): boolean {
    return this.stop.signal.aborted;
  }
}

/** Somebody else may have removed them, or the group, meanwhile. */
function ignoreAbsent(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'group_not_found')) throw error;
}
