import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * A message at its place in its chat. Every key starts with the chat, so that the table can be partitioned by it. No
 * foreign keys: an append locks the chat's row and finds the sender among its members, which says the same, and the two
 * checks would cost each row more than its insert.
 */
@Entity('messages')
@Index('messages_id', ['id'])
@Index('messages_changes', ['chatId', 'changeSeq'], { where: 'change_seq IS NOT NULL' })
@Unique('messages_client_message_id_key', ['chatId', 'clientMessageId'])
export class Message {
  @PrimaryColumn('bigint', { name: 'chat_id', primaryKeyConstraintName: 'messages_pkey' })
  chatId: number;

  /** 1, 2, 3 … without a hole, in commit order. */
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'messages_pkey' })
  seq: number;

  /** Unique by its sequence; no unique key of its own, which a partitioned table could not have. */
  @Column('bigint', { generated: 'identity' })
  id: number;

  @Column('bigint', { name: 'sender_id' })
  senderId: number;

  /** Null on a tombstone. */
  @Column('text', { nullable: true })
  text: string | null;

  @Column('varchar', { name: 'client_message_id', length: 64 })
  clientMessageId: string;

  /** Never runs backwards along `seq`. */
  @Column({ type: 'timestamptz', precision: 3 })
  timestamp: Date;

  @Column('bigint', { name: 'change_seq', nullable: true })
  changeSeq: number | null;

  @Column('bigint', { name: 'reply_to_id', nullable: true })
  replyToId: number | null;

  /** Where the sender's cursor was when they sent it, if that was before the message before it: this is what sending it read. */
  @Column('bigint', { name: 'read_from', nullable: true })
  readFrom: number | null;

  /** SHA-256 of the text as it was first sent, once that is gone by an edit or a deletion: a replay is compared with it. */
  @Column('bytea', { name: 'sent_hash', nullable: true })
  sentHash: Buffer | null;

  @Column({ type: 'timestamptz', name: 'edited_at', precision: 3, nullable: true })
  editedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3, nullable: true })
  deletedAt: Date | null;
}
