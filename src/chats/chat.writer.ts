import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { ChatLaneScheduler } from './chat-lane.scheduler.js';
import type { Chat } from './chat.entity.js';
import { ChatsRepository } from './chats.repository.js';

/**
 * Runs a write to an existing chat: the lane of the chat, one transaction, the lock of its row, the work, the commit,
 * the events. Changes of groups, members and their names, edits, deletions and the erasure of messages use it.
 *
 * Not all writes do. `append_messages` and `read_messages` are SQL functions that take the row lock themselves, and run
 * in the lane too. A new chat needs no lock. A block updates `chats.blocked` outside the lane.
 *
 * Don't nest two writes to one chat: the inner one waits in the lane for the outer one, and neither ends.
 */
@Injectable()
export class ChatWriter {
  constructor(
    private readonly lanes: ChatLaneScheduler,
    private readonly unitOfWork: UnitOfWork,
    private readonly chats: ChatsRepository,
  ) {}

  /**
   * Calls `work` with the locked chat, or with null when there is no such chat. Its statements see all that was
   * committed before the lock. @throws AppError `overloaded`
   */
  write<T>(chatId: number, work: (chat: Chat | null) => Promise<T>): Promise<T> {
    return this.lanes.run(chatId, () => this.unitOfWork.run(async () => work(await this.chats.lock(chatId))));
  }
}
