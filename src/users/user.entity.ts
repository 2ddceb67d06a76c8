import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

@Entity('users')
// On expressions TypeORM has no words for; the migration holds them: lower(email), and the words of the name.
@Index('users_email_key', { synchronize: false })
@Index('users_name_words', { synchronize: false })
export class User {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'users_pkey' })
  id: number;

  @Column('varchar', { length: 100 })
  name: string;

  /** As it was typed; unique whatever its case. */
  @Column('varchar', { length: 254 })
  email: string;

  /** argon2id, in PHC string format. Read only where a password is checked. */
  @Column('text', { name: 'password_hash', select: false })
  passwordHash: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt: Date;
}
