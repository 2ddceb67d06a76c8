import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { BlocksService } from '../chats/blocks.service.js';
import { ChatsService } from '../chats/chats.service.js';
import { AppError } from '../common/errors/app-error.js';
import { PollingLoop } from '../common/polling-loop.js';
import { GroupsService } from '../groups/groups.service.js';
import { OwnMessagesService } from '../messages/own-messages.service.js';
import { UsersService } from '../users/users.service.js';

/**
 * How often a node polls for accounts to erase, in milliseconds. The node that closed one may have stopped meanwhile.
 */
const POLL_INTERVAL_MS = 5_000;

/**
 * Erases closed accounts: they leave their groups, their private chats are blocked, and their messages become
 * tombstones. `AccountsService` starts it when an account is closed; every node also runs it at its start and every 5
 * s.
 *
 * It works in many small transactions. Each is the ordinary one for its step, so clients get the usual events. Each is
 * safe to repeat, and no progress is stored but `erased_at`: after a stop, a crash or a database failure any node
 * continues.
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

  /**
   * Erases all accounts that are closed at the call; resolves when that is done, or has failed (the next poll retries).
   */
  erase(): Promise<void> {
    return this.polling.runAgain();
  }

  private async eraseEverybody(): Promise<void> {
    for (const userId of await this.users.toErase()) await this.eraseAll(userId);
  }

  private async eraseAll(userId: number): Promise<void> {
    // Before the messages: once out of the groups and blocked in the private chats, the account can't add another
    // message.
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

/** Another request may have removed the member, or deleted the group, meanwhile. */
function ignoreAbsent(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'group_not_found')) throw error;
}
