import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** One login on one device. Its id is the `sid` of its access tokens. */
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

  /** The client's User-Agent when the session was last used; null when it sent none. */
  @Column('text', { name: 'user_agent', nullable: true })
  userAgent: string | null;

  /** The IP address from which the session was last used. */
  @Column('text')
  address: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt: Date;

  /** When it was last used: the login, or the latest refresh. */
  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3, default: () => 'now()' })
  lastUsedAt: Date;

  /** SHA-256 of the current refresh token: the one that was issued last. */
  @Column('bytea', { name: 'current_hash' })
  currentHash: Buffer;

  /**
   * SHA-256 of the refresh token before, which works for a while, but never after the current one was used; null until
   * the first refresh.
   */
  @Column('bytea', { name: 'previous_hash', nullable: true })
  previousHash: Buffer | null;

  /**
   * SHA-256 of the refresh token before and the `client_refresh_id` that came with it (`RefreshToken.hashWith`); with
   * that id it works until the current one is used. Null when none came.
   */
  @Column('bytea', { name: 'retry_hash', nullable: true })
  retryHash: Buffer | null;

  /** When the current refresh token took the place of the one before; null until the first refresh. */
  @Column({ type: 'timestamptz', name: 'rotated_at', precision: 3, nullable: true })
  rotatedAt: Date | null;

  /**
   * The key that computes the current token from the previous one, so that a retry gets the same token; null until the
   * first refresh.
   */
  @Column('bytea', { name: 'rotation_key', nullable: true })
  rotationKey: Buffer | null;

  /**
   * When the row can be deleted: a live session's refresh token has expired, or a revoked session's access tokens have.
   */
  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt: Date;

  /** The id of the transaction that revoked the session; null while it is live. */
  @Column('bigint', { name: 'revoked_xid', nullable: true })
  revokedXid: number | null;
}
