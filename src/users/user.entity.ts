import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { AddableBy } from '../contract/users.js';

/** A person's account. A closed one keeps its row, as messages and memberships refer to it, but no personal data. */
@Entity('users')
// Two are on expressions, lower(email) and the terms of the name, and one is a hash index. TypeORM can't express them:
// the migration makes them.
@Index('users_email_key', { synchronize: false })
@Index('users_search_terms', { synchronize: false })
@Index('users_search_name', { synchronize: false })
@Index('users_to_erase', ['id'], { where: 'closed_at IS NOT NULL AND erased_at IS NULL' })
@Index('users_to_tell', ['id'], { where: 'told_name_version < name_version AND closed_at IS NULL' })
@Check('users_addable_by', `addable_by IN ('everybody', 'correspondents')`)
export class User {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'users_pkey' })
  id: number;

  @Column('varchar', { length: 100 })
  name: string;

  /** How often the name has changed. */
  @Column('integer', { name: 'name_version', default: 0 })
  nameVersion: number;

  /** All the person's chats have been told of the name of this version. `NameSweeper` advances it. */
  @Column('integer', { name: 'told_name_version', default: 0 })
  toldNameVersion: number;

  /** In the form of `canonicalEmail`; unique whatever its case. Null when the account is closed. */
  @Column('varchar', { length: 254, nullable: true })
  email: string | null;

  /** argon2id, in PHC string format. Only queries that check a password select it. Null when the account is closed. */
  @Column('text', { name: 'password_hash', select: false, nullable: true })
  passwordHash: string | null;

  /** What a search of people compares: `nameTerms` of the name. Empty when the account is closed. */
  @Column('text', { name: 'search_terms', select: false, default: '' })
  searchTerms: string;

  /** Who may add the person to groups. */
  @Column('text', { name: 'addable_by', default: 'everybody' })
  addableBy: AddableBy;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt: Date;

  /** When the account was closed. From then on nobody can use it, and `ErasureSweeper` removes what is left of it. */
  @Column({ type: 'timestamptz', name: 'closed_at', precision: 3, nullable: true })
  closedAt: Date | null;

  /** When the erasure was complete. */
  @Column({ type: 'timestamptz', name: 'erased_at', precision: 3, nullable: true })
  erasedAt: Date | null;
}
