import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * A message at its place in its chat. The class declares the table; `MessagesRepository` reads and writes it in SQL.
 *
 * Every unique key starts with the chat, so that the table can be partitioned by it. There are no foreign keys: an
 * append locks the chat's row and finds the sender among the members, which proves the same. The two checks would cost
 * each row more than its insert.
 */
@Entity('messages')
@Index('messages_id', ['id'])
@Index('messages_changes', ['chatId', 'changeSeq'], { where: 'change_seq IS NOT NULL' })
@Unique('messages_client_message_id_key', ['chatId', 'clientMessageId'])
export class Message {
  @PrimaryColumn('bigint', { name: 'chat_id', primaryKeyConstraintName: 'messages_pkey' })
  chatId: number;

  /** The message's number in its chat: 1, 2, 3 … without holes, in the order of the commits. */
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'messages_pkey' })
  seq: number;

  /** Unique, as a sequence draws it. It has no unique key, because a partitioned table can't have one on it alone. */
  @Column('bigint', { generated: 'identity' })
  id: number;

  @Column('bigint', { name: 'sender_id' })
  senderId: number;

  /** Null on a tombstone. */
  @Column('text', { nullable: true })
  text: string | null;

  /** The idempotency key of the send, unique in the chat. */
  @Column('varchar', { name: 'client_message_id', length: 64 })
  clientMessageId: string;

  /** Never smaller than that of the message before. */
  @Column({ type: 'timestamptz', precision: 3 })
  timestamp: Date;

  /** The chat's `change_seq` of the message's last edit or deletion; null before the first. */
  @Column('bigint', { name: 'change_seq', nullable: true })
  changeSeq: number | null;

  @Column('bigint', { name: 'reply_to_id', nullable: true })
  replyToId: number | null;

  /**
   * The sender's cursor before they sent this message, if messages between the two were unread: sending read these.
   * Null if there were none.
   */
  @Column('bigint', { name: 'read_from', nullable: true })
  readFrom: number | null;

  /**
   * SHA-256 of the text as it was sent, set by the first edit or deletion, which replaces that text. A replay is
   * compared with it.
   */
  @Column('bytea', { name: 'sent_hash', nullable: true })
  sentHash: Buffer | null;

  @Column({ type: 'timestamptz', name: 'edited_at', precision: 3, nullable: true })
  editedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3, nullable: true })
  deletedAt: Date | null;
}
