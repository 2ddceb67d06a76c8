import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AdditionsService } from '../chats/additions.service.js';
import { BlocksService } from '../chats/blocks.service.js';
import { ChatsService } from '../chats/chats.service.js';
import { NameSweeper } from '../chats/name.sweeper.js';
import { AppError } from '../common/errors/app-error.js';
import { SweepLoop } from '../common/sweep-loop.js';
import { GroupsService } from '../groups/groups.service.js';
import { OwnMessagesService } from '../messages/own-messages.service.js';
import { UsersService } from '../users/users.service.js';

/**
 * How often a node polls for accounts to erase, in milliseconds. The node that closed one may have stopped meanwhile.
 */
const POLL_INTERVAL_MS = 5_000;

/**
 * Erases closed accounts: they leave their groups, their private chats are blocked and told that the name is gone, and
 * their messages become tombstones. `AccountsService` starts it when an account is closed; every node also runs it at its start and every 5
 * s. Several accounts are erased in turn (`SweepLoop`).
 *
 * It works in many small transactions. Each is the ordinary one for its step, so clients get the usual events. Each is
 * safe to repeat, and no progress is stored but `erased_at`: after a stop, a crash or a database failure any node
 * continues.
 */
@Injectable()
export class ErasureSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ErasureSweeper.name);
  private readonly loop = new SweepLoop(
    this.logger,
    'erasure',
    POLL_INTERVAL_MS,
    () => this.users.toErase(),
    (userId) => this.erasure(userId),
  );

  constructor(
    private readonly users: UsersService,
    private readonly groups: GroupsService,
    private readonly chats: ChatsService,
    private readonly additions: AdditionsService,
    private readonly blocks: BlocksService,
    private readonly names: NameSweeper,
    private readonly messages: OwnMessagesService,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  /** Erases an account that is closed; resolves when that is done, or has failed (the next poll retries). */
  erase(userId: number): Promise<void> {
    return this.loop.sweep(userId);
  }

  /** A chat that fails doesn't keep the others from being erased; the account then isn't marked as erased. */
  private async *erasure(userId: number): AsyncGenerator<void> {
    const failures: unknown[] = [];
    // Before the messages: once out of the groups and blocked in the private chats, the account can't add another
    // message.
    for await (const groupId of this.chats.groupsOf(userId)) yield* kept(this.leave(groupId, userId), failures);
    yield* this.blocks.shutAll(userId);
    yield* kept(this.names.tell(userId), failures);
    for await (const chatId of this.chats.writtenIn(userId)) {
      yield* kept(this.messages.erase(chatId, userId), failures);
    }
    if (failures.length > 0) throw failures[0];
    await this.additions.forget(userId);
    await this.users.markErased(userId);
    this.logger.log({ event: 'account.erased', user_id: userId });
  }

  private async *leave(groupId: number, userId: number): AsyncGenerator<void> {
    await this.groups.removeMember(groupId, userId, userId).catch(ignoreAbsent);
    yield;
  }
}

/** The steps, up to the one that fails: its error goes to `failures`. */
async function* kept(steps: AsyncGenerator<void>, failures: unknown[]): AsyncGenerator<void> {
  try {
    yield* steps;
  } catch (error) {
    failures.push(error);
  }
}

/** Another request may have removed the member, or deleted the group, meanwhile. */
function ignoreAbsent(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'group_not_found')) throw error;
}
