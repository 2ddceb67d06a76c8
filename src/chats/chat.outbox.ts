import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { ChatChanged } from './chat.events.js';
import type { Change } from './chat-change.entity.js';

/** Notes what changes in a chat besides its messages, in the transaction that changes it, for every node to tell. */
@Injectable()
export class ChatOutbox {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Call it under the chat's lock, after the change has taken its `change_seq`. */
  async record(chatId: number, { kind, ...data }: Change): Promise<void> {
    await this.unitOfWork.manager.query(
      `INSERT INTO chat_changes (chat_id, seq, change_seq, kind, data)
       SELECT id, last_seq, last_change_seq, $2, $3 FROM chats WHERE id = $1`,
      [chatId, kind, data],
    );
    this.unitOfWork.publish(new ChatChanged(chatId));
  }

  /** Messages that became tombstones together, each with its own `change_seq`. Call it under the chat's lock. */
  async recordDeletions(chatId: number, deleted: readonly { seq: number; change_seq: number }[]): Promise<void> {
    await this.unitOfWork.manager.query(
      `INSERT INTO chat_changes (chat_id, seq, change_seq, kind, data)
       SELECT c.id, c.last_seq, d.change_seq, 'message_deleted', jsonb_build_object('seq', d.seq)
       FROM chats c, unnest($2::bigint[], $3::bigint[]) AS d(seq, change_seq) WHERE c.id = $1 ORDER BY d.change_seq`,
      [chatId, deleted.map(({ seq }) => seq), deleted.map(({ change_seq }) => change_seq)],
    );
    this.unitOfWork.publish(new ChatChanged(chatId));
  }
}
