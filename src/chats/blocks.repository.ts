import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { User } from '../users/user.entity.js';
import { Block } from './block.entity.js';
import { Chat } from './chat.entity.js';

/**
 * The table `blocks`, and the column `chats.blocked`, which says whether one of a private chat's two blocks the other.
 */
@Injectable()
export class BlocksRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  private get blocks() {
    return this.unitOfWork.repository(Block);
  }

  /** Adds a block; returns whether it is new. */
  async add(blockerId: number, blockedId: number): Promise<boolean> {
    const query = this.blocks.createQueryBuilder().insert().values({ blockerId, blockedId }).orIgnore();
    return ((await query.returning('blocker_id').execute()).raw as unknown[]).length > 0;
  }

  /** Removes a block; returns whether there was one. */
  async remove(blockerId: number, blockedId: number): Promise<boolean> {
    return (await this.blocks.delete({ blockerId, blockedId })).affected === 1;
  }

  /** Whether one of the two has blocked the other. */
  existsBetween(one: number, other: number): Promise<boolean> {
    return this.blocks.existsBy([
      { blockerId: one, blockedId: other },
      { blockerId: other, blockedId: one },
    ]);
  }

  /** Whom the user has blocked, the latest first. */
  list(blockerId: number, limit: number, offset: number): Promise<User[]> {
    return this.unitOfWork
      .repository(User)
      .createQueryBuilder('user')
      .innerJoin(Block, 'block', 'block.blockedId = user.id AND block.blockerId = :blockerId', { blockerId })
      .orderBy({ 'block.createdAt': 'DESC', 'user.id': 'DESC' })
      .limit(limit)
      .offset(offset)
      .getMany();
  }

  /** Sets whether a private chat is blocked. It waits for a write that holds the lock of the chat's row. */
  async setBlocked(chatId: number, blocked: boolean): Promise<void> {
    await this.unitOfWork.repository(Chat).update({ id: chatId }, { blocked });
  }

  /** Deletes the blocks by the user and those of the user. */
  async removeAll(userId: number): Promise<void> {
    await this.blocks.delete({ blockerId: userId });
    await this.blocks.delete({ blockedId: userId });
  }
}
