import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { MemberDto } from './dto/member.dto.js';

/**
 * What changed. It holds only what can't be read from the chat later, such as who was removed. Field names as on the
 * wire.
 */
export type Change =
  | { readonly kind: 'created' | 'deleted'; readonly user_ids: readonly number[] }
  | { readonly kind: 'renamed' }
  | { readonly kind: 'member_added' | 'member_removed' | 'member_updated'; readonly member: MemberDto }
  | { readonly kind: 'message_updated' | 'message_deleted'; readonly seq: number }
  | {
      readonly kind: 'read';
      readonly message_id: number;
      readonly reader_id: number;
      readonly is_read: boolean;
      readonly seq: number;
      readonly user_ids: readonly number[];
    };

/**
 * A row of the outbox of chats: a change other than a new message, for every node to publish. `ChatOutbox` and
 * `read_messages` write it; a node may need it for some minutes, then it is deleted. Within a chat the ids are in the
 * order of the commits, as the chat is locked.
 */
@Entity('chat_changes')
@Index('chat_changes_id', ['id'])
export class ChatChange {
  @PrimaryColumn('bigint', { name: 'chat_id', primaryKeyConstraintName: 'chat_changes_pkey' })
  chatId: number;

  @PrimaryColumn('bigint', { generated: 'identity', primaryKeyConstraintName: 'chat_changes_pkey' })
  id: number;

  /** The chat's `last_seq` at the change: it is published after that message and before the next one. */
  @Column('bigint')
  seq: number;

  /** The chat's change counter after the change. Null for a read, which doesn't count. */
  @Column('bigint', { name: 'change_seq', nullable: true })
  changeSeq: number | null;

  @Column('text')
  kind: Change['kind'];

  /** The fields of the `Change` besides `kind` and the name of a member. */
  @Column('jsonb')
  data: object;
}
