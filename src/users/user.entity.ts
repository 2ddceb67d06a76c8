import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

@Entity('users')
// On expressions TypeORM has no words for; the migration holds them: lower(email), and the words of the name.
@Index('users_email_key', { synchronize: false })
@Index('users_name_words', { synchronize: false })
@Index('users_to_erase', ['id'], { where: 'closed_at IS NOT NULL AND erased_at IS NULL' })
export class User {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'users_pkey' })
  id: number;

  @Column('varchar', { length: 100 })
  name: string;

  /** As it was typed; unique whatever its case. Null when the account is closed. */
  @Column('varchar', { length: 254, nullable: true })
  email: string | null;

  /** argon2id, in PHC string format. Read only where a password is checked. Null when the account is closed. */
  @Column('text', { name: 'password_hash', select: false, nullable: true })
  passwordHash: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt: Date;

  /** When the account was closed: nobody can use it any more, and what it has left is being removed. */
  @Column({ type: 'timestamptz', name: 'closed_at', precision: 3, nullable: true })
  closedAt: Date | null;

  /** When the last of it was removed. */
  @Column({ type: 'timestamptz', name: 'erased_at', precision: 3, nullable: true })
  erasedAt: Date | null;
}
