import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { ChatMember } from './chat-member.entity.js';
import type { MemberRow } from './dto/member.dto.js';

@Injectable()
export class MembersRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  find(chatId: number, userId: number): Promise<ChatMember | null> {
    return this.unitOfWork.repository(ChatMember).findOneBy({ chatId, userId });
  }

  /** The ids of all members. */
  async ids(chatId: number): Promise<number[]> {
    const rows: { user_id: number }[] = await this.unitOfWork.manager.query(
      'SELECT user_id FROM chat_members WHERE chat_id = $1',
      [chatId],
    );
    return rows.map(({ user_id }) => user_id);
  }

  /** Members in the order they joined. */
  list(chatId: number, limit: number, offset: number): Promise<MemberRow[]> {
    return this.select(chatId, 'ORDER BY m.joined_at, m.user_id LIMIT $2 OFFSET $3', [limit, offset]);
  }

  /** One member with the name. */
  async row(chatId: number, userId: number): Promise<MemberRow | undefined> {
    return (await this.select(chatId, 'AND m.user_id = $2', [userId]))[0];
  }

  /** Members other than `senderId` whose cursor has passed `seq`, in the order they joined. */
  readers(chatId: number, seq: number, senderId: number): Promise<MemberRow[]> {
    const condition = 'AND m.last_read_seq >= $2 AND m.user_id <> $3 ORDER BY m.joined_at, m.user_id';
    return this.select(chatId, condition, [seq, senderId]);
  }

  /** Everybody in the chat has read up to there. */
  async readByAllSeq(chatId: number): Promise<number> {
    const rows: { seq: number }[] = await this.unitOfWork.manager.query(
      'SELECT read_by_all_seq AS seq FROM chats WHERE id = $1',
      [chatId],
    );
    return rows[0]?.seq ?? 0;
  }

  private select(chatId: number, rest: string, parameters: unknown[]): Promise<MemberRow[]> {
    return this.unitOfWork.manager.query(
      `SELECT m.user_id, u.name, m.role, m.joined_at, m.last_read_seq
       FROM chat_members m JOIN users u ON u.id = m.user_id WHERE m.chat_id = $1 ${rest}`,
      [chatId, ...parameters],
    );
  }
}
