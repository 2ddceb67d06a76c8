import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { MemberDto } from './dto/member.dto.js';

/** What changed, with what can't be read from the chat any more. Field names as on the wire. */
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
 * A change of a chat, other than a new message, as long as a node may still have to tell it: some minutes. In a chat the ids
 * are in the order of the commits.
 */
@Entity('chat_changes')
@Index('chat_changes_id', ['id'])
export class ChatChange {
  @PrimaryColumn('bigint', { name: 'chat_id', primaryKeyConstraintName: 'chat_changes_pkey' })
  chatId: number;

  @PrimaryColumn('bigint', { generated: 'identity', primaryKeyConstraintName: 'chat_changes_pkey' })
  id: number;

  /** The chat's `last_seq` at that moment: the change comes after that message and before the next. */
  @Column('bigint')
  seq: number;

  /** Null for a read, which takes none. */
  @Column('bigint', { name: 'change_seq', nullable: true })
  changeSeq: number | null;

  @Column('text')
  kind: Change['kind'];

  /** The other fields of the `Change`. */
  @Column('jsonb')
  data: object;
}
