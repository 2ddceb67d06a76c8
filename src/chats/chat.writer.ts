import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { ChatLaneScheduler } from './chat-lane.scheduler.js';
import type { Chat } from './chat.entity.js';
import { ChatsRepository } from './chats.repository.js';

/** The way every write to a chat goes: its lane, one transaction, its row lock, the work, the commit, the events. */
@Injectable()
export class ChatWriter {
  constructor(
    private readonly lanes: ChatLaneScheduler,
    private readonly unitOfWork: UnitOfWork,
    private readonly chats: ChatsRepository,
  ) {}

  /** Calls `work` with the locked chat, or with null when there is none. Its statements see all that was committed before the lock. */
  write<T>(chatId: number, work: (chat: Chat | null) => Promise<T>): Promise<T> {
    return this.lanes.run(chatId, () => this.unitOfWork.run(async () => work(await this.chats.lock(chatId))));
  }
}
