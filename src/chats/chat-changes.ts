import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { ChatMoved } from './chat.events.js';
import type { Change } from './chat-change.entity.js';

/** Notes what changes in a chat besides its messages, in the transaction that changes it, for every node to tell. */
@Injectable()
export class ChatChanges {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Call it under the chat's lock, after the change has taken its `change_seq`. */
  async record(chatId: number, { kind, ...data }: Change): Promise<void> {
    await this.unitOfWork.manager.query(
      `INSERT INTO chat_changes (chat_id, seq, change_seq, kind, data)
       SELECT id, last_seq, last_change_seq, $2, $3 FROM chats WHERE id = $1`,
      [chatId, kind, data],
    );
    this.unitOfWork.publish(new ChatMoved(chatId));
  }
}
