import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';
import { eachOf } from '../common/pagination.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { UserDto } from '../users/dto/user.dto.js';
import { UsersService } from '../users/users.service.js';
import { BlocksRepository } from './blocks.repository.js';
import { ChatsRepository, pairOf } from './chats.repository.js';

const PAGE = 100;

/**
 * Who wants nothing more from whom. While one of two people blocks the other, nobody writes in their private chat, also
 * not the one who blocks: nobody is told things that they can't answer. What they share with others stays as it is.
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
   * From the commit on, no message between the two is stored and no chat of theirs is made; again changes nothing.
   * @throws AppError `user_not_found`, `validation_failed` for oneself
   */
  async block(userId: number, otherId: number): Promise<void> {
    if (otherId === userId) throw AppError.invalidField('id', 'must be somebody else');
    const isNew = await this.change(userId, otherId, () => this.blocks.add(userId, otherId));
    if (isNew) this.logger.log({ event: 'user.blocked', user_id: userId, blocked_id: otherId });
  }

  /** Takes a block back; without one nothing happens. @throws AppError `user_not_found` */
  async unblock(userId: number, otherId: number): Promise<void> {
    const wasThere = await this.change(userId, otherId, () => this.blocks.remove(userId, otherId));
    if (wasThere) this.logger.log({ event: 'user.unblocked', user_id: userId, blocked_id: otherId });
  }

  /** Whom the user has blocked, the latest first. */
  async list(userId: number, limit: number, offset: number): Promise<UserDto[]> {
    return (await this.blocks.list(userId, limit, offset)).map((user) => UserDto.of(user));
  }

  /** Shuts the private chats of a closed account, for good, and forgets its blocks. Safe to repeat. */
  async shutAll(userId: number): Promise<void> {
    const chatIds = eachOf((afterId) => this.chats.privateIds(userId, afterId, PAGE));
    for await (const chatId of chatIds) await this.blocks.setBlocked(chatId, true);
    await this.blocks.removeAll(userId);
  }

  /** With the pair held, so that neither their chat nor another block of theirs comes up meanwhile. */
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
