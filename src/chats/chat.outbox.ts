import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { ChatChanged } from './chat.events.js';
import type { Change } from './chat-change.entity.js';
import { ChatMember } from './chat-member.entity.js';
import { FormerMember } from './former-member.entity.js';

/** A change that takes a `change_seq`. (A read takes none; the SQL function `read_messages` records it.) */
type CountedChange = Exclude<Change, { kind: 'created' | 'deleted' | 'read' }>;

/** Changes of membership. They advance `members_seq`, so that cached lists of members are read again. */
const MEMBERSHIPS: ReadonlySet<Change['kind']> = new Set(['member_added', 'member_removed']);

/**
 * The transactional outbox of chats, the table `chat_changes`. The transaction that changes a chat records the change
 * here, for every node to publish; new messages need no record. Services call it inside a transaction, under the chat's
 * lock: so the records of a chat are in the order of the commits. After the commit the event `ChatChanged` wakes
 * `ChatFeed`.
 */
@Injectable()
export class ChatOutbox {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Takes the chat's next `change_seq` for the change, records it, and returns the number. A change of a member must be
   * made before: sync finds it by the number in their row. The name of a member isn't stored: it is read when the change
   * is published, and would outlive the account here.
   */
  async record(chatId: number, { kind, ...data }: CountedChange): Promise<number> {
    const rows: { change_seq: number }[] = await this.unitOfWork.manager.query(
      `WITH chat AS (
         UPDATE chats SET last_change_seq = last_change_seq + 1,
           members_seq = CASE WHEN $4 THEN last_change_seq + 1 ELSE members_seq END
         WHERE id = $1 RETURNING last_seq, last_change_seq
       )
       INSERT INTO chat_changes (chat_id, seq, change_seq, kind, data)
       SELECT $1, last_seq, last_change_seq, $2, $3::jsonb #- '{member,name}' FROM chat RETURNING change_seq`,
      [chatId, kind, data, MEMBERSHIPS.has(kind)],
    );
    const changeSeq = rows[0]!.change_seq;
    if ('member' in data) await this.numberMember(chatId, kind, data.member.user_id, changeSeq);
    this.unitOfWork.publish(new ChatChanged(chatId));
    return changeSeq;
  }

  /**
   * Records that these messages become tombstones. Each takes a `change_seq`, in the order given; returns the first.
   */
  async recordDeletions(chatId: number, seqs: readonly number[]): Promise<number> {
    const rows: { change_seq: number }[] = await this.unitOfWork.manager.query(
      `WITH chat AS (
         UPDATE chats SET last_change_seq = last_change_seq + cardinality($2::bigint[]) WHERE id = $1
         RETURNING last_seq, last_change_seq - cardinality($2::bigint[]) AS before
       )
       INSERT INTO chat_changes (chat_id, seq, change_seq, kind, data)
       SELECT $1, chat.last_seq, chat.before + d.place, 'message_deleted', jsonb_build_object('seq', d.seq)
       FROM chat, unnest($2::bigint[]) WITH ORDINALITY AS d(seq, place) ORDER BY d.place RETURNING change_seq`,
      [chatId, seqs],
    );
    this.unitOfWork.publish(new ChatChanged(chatId));
    return rows[0]!.change_seq;
  }

  /** Notes the number at the member, or at the former one. */
  private async numberMember(chatId: number, kind: Change['kind'], userId: number, changeSeq: number): Promise<void> {
    const entity = kind === 'member_removed' ? FormerMember : ChatMember;
    await this.unitOfWork.repository<ChatMember | FormerMember>(entity).update({ chatId, userId }, { changeSeq });
  }

  /** Records that the chat was created or deleted, for the users given. This takes no `change_seq`. */
  async recordLife(chatId: number, kind: 'created' | 'deleted', userIds: readonly number[]): Promise<void> {
    await this.unitOfWork.manager.query(
      `INSERT INTO chat_changes (chat_id, seq, change_seq, kind, data)
       SELECT id, last_seq, last_change_seq, $2, $3 FROM chats WHERE id = $1`,
      [chatId, kind, { user_ids: userIds }],
    );
    this.unitOfWork.publish(new ChatChanged(chatId));
  }
}
