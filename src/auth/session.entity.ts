import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** One login on one device; the `sid` of its access tokens. */
@Entity('sessions')
@Index('sessions_user', ['userId'])
@Index('sessions_expiry', ['expiresAt'])
@Index('sessions_revoked', ['revokedXid'], { where: 'revoked_xid IS NOT NULL' })
export class Session {
  /** Derived from the refresh token (`RefreshToken.sessionId`). */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'sessions_pkey' })
  id: string;

  @Column('bigint', { name: 'user_id' })
  @ForeignKey(() => User, { name: 'sessions_user_fkey', onDelete: 'CASCADE' })
  userId: number;

  /** As the client named itself when the session was last used; null when it didn't. */
  @Column('text', { name: 'user_agent', nullable: true })
  userAgent: string | null;

  /** The IP address it was last used from. */
  @Column('text')
  address: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt: Date;

  /** The login, or the latest refresh. */
  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3, default: () => 'now()' })
  lastUsedAt: Date;

  /** SHA-256 of the refresh token that was handed out last. */
  @Column('bytea', { name: 'current_hash' })
  currentHash: Buffer;

  /** SHA-256 of the token before, which works until the current one is used; null until the first refresh. */
  @Column('bytea', { name: 'previous_hash', nullable: true })
  previousHash: Buffer | null;

  /** What makes the current token out of the previous one, once more for a retry. */
  @Column('bytea', { name: 'rotation_key', nullable: true })
  rotationKey: Buffer | null;

  /** When nobody needs the row any more: the refresh token has run out; of a revoked session, its access tokens have. */
  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt: Date;

  /** The transaction that ended the session; null while it lives. */
  @Column('bigint', { name: 'revoked_xid', nullable: true })
  revokedXid: number | null;
}
