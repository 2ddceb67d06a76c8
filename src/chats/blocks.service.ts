import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';
import { eachOf } from '../common/pagination.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { UserDto } from '../users/dto/user.dto.js';
import { UsersService } from '../users/users.service.js';
import { BlocksRepository } from './blocks.repository.js';
import { ChatsRepository, pairOf } from './chats.repository.js';

/** Rows read from the database at once. */
const PAGE = 100;

/**
 * Blocks between people. While one of two people blocks the other, neither of them can write in their private chat: the
 * blocker can't either, so nobody gets a message that they can't answer. Groups that they share don't change.
 */
@Injectable()
export class BlocksService {
  private readonly logger = new Logger(BlocksService.name);

  constructor(
    private readonly blocks: BlocksRepository,
    private readonly chats: ChatsRepository,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Blocks a person. From the commit on, their private chat takes no message, and none is made for them. Blocking again
   * changes nothing.
   * @throws AppError `user_not_found`, `validation_failed` for oneself
   */
  async block(userId: number, otherId: number): Promise<void> {
    if (otherId === userId) throw AppError.invalidField('id', 'must be somebody else');
    const isNew = await this.change(userId, otherId, () => this.blocks.add(userId, otherId));
    if (isNew) this.logger.log({ event: 'user.blocked', user_id: userId, blocked_id: otherId });
  }

  /** Removes a block; does nothing when there is none. @throws AppError `user_not_found` */
  async unblock(userId: number, otherId: number): Promise<void> {
    const existed = await this.change(userId, otherId, () => this.blocks.remove(userId, otherId));
    if (existed) this.logger.log({ event: 'user.unblocked', user_id: userId, blocked_id: otherId });
  }

  /** Whom the user has blocked, the latest first. */
  async list(userId: number, limit: number, offset: number): Promise<UserDto[]> {
    return (await this.blocks.list(userId, limit, offset)).map((user) => UserDto.of(user));
  }

  /**
   * Blocks the private chats of a closed account for good, yielding after each, and deletes its blocks. Safe to repeat;
   * `ErasureSweeper` calls it.
   */
  async *shutAll(userId: number): AsyncGenerator<void> {
    const chatIds = eachOf((afterId) => this.chats.privateIds(userId, afterId, PAGE));
    for await (const chatId of chatIds) {
      await this.blocks.setBlocked(chatId, true);
      yield;
    }
    await this.blocks.removeAll(userId);
  }

  /**
   * Changes a block under the lock of the pair: meanwhile neither their private chat nor another block of the two can
   * be made.
   */
  private change(userId: number, otherId: number, work: () => Promise<boolean>): Promise<boolean> {
    const pair = pairOf(userId, otherId);
    return this.unitOfWork.run(async () => {
      await this.chats.lockPair(...pair);
      await this.users.requireAll(pair);
      const changed = await work();
      const chatId = await this.chats.findPrivate(...pair);
      if (chatId !== undefined) await this.blocks.setBlocked(chatId, await this.blocks.existsBetween(...pair));
      return changed;
    });
  }
}
