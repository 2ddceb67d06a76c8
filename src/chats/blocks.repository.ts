import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { User } from '../users/user.entity.js';
import { Block } from './block.entity.js';
import { Chat } from './chat.entity.js';

@Injectable()
export class BlocksRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  private get blocks() {
    return this.unitOfWork.repository(Block);
  }

  /** Whether there was no such block. */
  async add(blockerId: number, blockedId: number): Promise<boolean> {
    const query = this.blocks.createQueryBuilder().insert().values({ blockerId, blockedId }).orIgnore();
    return ((await query.returning('blocker_id').execute()).raw as unknown[]).length > 0;
  }

  /** Whether there was such a block. */
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

  /** Shuts a private chat, or opens it; whoever is writing to it is done before. */
  async setBlocked(chatId: number, blocked: boolean): Promise<void> {
    await this.unitOfWork.repository(Chat).update({ id: chatId }, { blocked });
  }

  /** Forgets whom the user has blocked, and who has blocked them. */
  async removeAll(userId: number): Promise<void> {
    await this.blocks.delete({ blockerId: userId });
    await this.blocks.delete({ blockedId: userId });
  }
}
