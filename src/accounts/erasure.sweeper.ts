import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { BlocksService } from '../chats/blocks.service.js';
import { ChatsService } from '../chats/chats.service.js';
import { AppError } from '../common/errors/app-error.js';
import { PollingLoop } from '../common/polling-loop.js';
import { GroupsService } from '../groups/groups.service.js';
import { OwnMessagesService } from '../messages/own-messages.service.js';
import { UsersService } from '../users/users.service.js';

/** How often a node looks for accounts that nobody erases, in milliseconds: whoever began may be gone. */
const POLL_INTERVAL_MS = 5_000;

/**
 * Removes what is left of closed accounts: they leave their groups, their private chats are shut, and their messages
 * become tombstones. In many small transactions, each the ordinary one for what it does, so everybody hears of it as ever,
 * and each safe to repeat: what a stop, a crash or a lost database interrupts, any node goes on with.
 */
@Injectable()
export class ErasureSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ErasureSweeper.name);
  private readonly polling = new PollingLoop(this.logger, 'erasure', POLL_INTERVAL_MS, () => this.eraseEverybody());

  constructor(
    private readonly users: UsersService,
    private readonly groups: GroupsService,
    private readonly chats: ChatsService,
    private readonly blocks: BlocksService,
    private readonly messages: OwnMessagesService,
  ) {}

  onApplicationBootstrap(): void {
    this.polling.start();
    void this.erase();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.polling.stop();
  }

  /** Erases all accounts that are closed by now; resolves when none is left, or the database is away. */
  erase(): Promise<void> {
    return this.polling.runAgain();
  }

  private async eraseEverybody(): Promise<void> {
    for (const userId of await this.users.toErase()) await this.eraseAll(userId);
  }

  private async eraseAll(userId: number): Promise<void> {
    // First of all: whoever isn't in a group, and can't write in a shut chat, has nothing under way any more.
    await this.leaveGroups(userId);
    if (this.polling.isStopped()) return;
    await this.blocks.shutAll(userId);
    for await (const chatId of this.chats.writtenIn(userId)) {
      if (this.polling.isStopped()) return;
      await this.messages.erase(chatId, userId, () => this.polling.isStopped());
    }
    if (this.polling.isStopped()) return;
    await this.users.markErased(userId);
    this.logger.log({ event: 'account.erased', user_id: userId });
  }

  private async leaveGroups(userId: number): Promise<void> {
    for await (const groupId of this.chats.groupsOf(userId)) {
      if (this.polling.isStopped()) return;
      await this.groups.removeMember(groupId, userId, userId).catch(ignoreAbsent);
    }
  }
}

/** Somebody else may have removed them, or the group, meanwhile. */
function ignoreAbsent(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'group_not_found')) throw error;
}
