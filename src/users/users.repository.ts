import { Injectable } from '@nestjs/common';
import { IsNull, Not, QueryFailedError } from 'typeorm';
import { UnitOfWork } from '../database/unit-of-work.js';
import { canonicalEmail } from './email.js';
import { User } from './user.entity.js';

/** The name that a closed account shows. */
const CLOSED_NAME = 'Deleted account';

/** The fields of a new account. */
export interface NewUser {
  readonly name: string;
  readonly email: string;
  readonly passwordHash: string;
}

const UNIQUE_VIOLATION = '23505';
/** Matches of a search that are sorted, at the most. */
const MAX_CANDIDATES = 1_000;

/**
 * SQL: the words of a text, one space between them. PostgreSQL splits names and queries alike; JavaScript has other
 * letters.
 */
const words = (text: string): string => `regexp_replace(${text}, '[^[:alnum:]]+', ' ', 'g')`;

/** SQL: must be the expression of the index `users_name_words`, or PostgreSQL won't use the index. */
const NAME_WORDS = `to_tsvector('simple', ${words('user.name')})`;

/** SQL: each word of the query as a prefix; null when the query has no words. */
const QUERY_WORDS = `to_tsquery('simple', replace(nullif(trim(${words(':query')}), ''), ' ', ':* & ') || ':*')`;

/** The table `users`. Only `UsersService` uses it. */
@Injectable()
export class UsersRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  private get users() {
    return this.unitOfWork.repository(User);
  }

  /** Inserts a user; undefined when the email is taken, whatever its case. */
  async create(fields: NewUser): Promise<User | undefined> {
    const user = this.users.create(fields);
    try {
      await this.users.insert(user);
    } catch (error) {
      if (error instanceof QueryFailedError && (error.driverError as { code?: string }).code === UNIQUE_VIOLATION)
        return undefined;
      throw error;
    }
    return user;
  }

  /** The user, also one whose account is closed. */
  findById(id: number): Promise<User | null> {
    return this.users.findOneBy({ id });
  }

  /**
   * The ids among these of open accounts. Their rows are locked, so that until the transaction ends none of them is
   * closed, and nobody else holds one of them.
   */
  async holdOpen(ids: readonly number[]): Promise<number[]> {
    const rows: { id: number }[] = await this.unitOfWork.manager.query(
      'SELECT id FROM users WHERE id = ANY($1) AND closed_at IS NULL ORDER BY id FOR NO KEY UPDATE',
      [ids],
    );
    return rows.map(({ id }) => id);
  }

  /** The user with the password hash, for a login. */
  findByEmailWithPassword(email: string): Promise<User | null> {
    return this.users
      .createQueryBuilder('user')
      .addSelect('user.passwordHash')
      .where('lower(user.email) = lower(:email)', { email })
      .getOne();
  }

  /** The user with the password hash, to change the password or close the account. */
  findByIdWithPassword(id: number): Promise<User | null> {
    return this.users.createQueryBuilder('user').addSelect('user.passwordHash').where({ id }).getOne();
  }

  /** Whether the account still has this password hash. If so, its row is locked until the transaction ends. */
  async holdPassword(id: number, passwordHash: string): Promise<boolean> {
    const query = this.users.createQueryBuilder('user').where({ id, passwordHash }).setLock('for_no_key_update');
    return (await query.getOne()) !== null;
  }

  /** Replaces the password hash, if it still is `from`; returns whether it was. */
  async changePassword(id: number, from: string, to: string): Promise<boolean> {
    const { affected } = await this.users.update({ id, passwordHash: from }, { passwordHash: to });
    return affected === 1;
  }

  /** Closes the account and removes its personal data, if it still has this password hash; returns whether it had. */
  async close(id: number, passwordHash: string): Promise<boolean> {
    const closed = { name: CLOSED_NAME, email: null, passwordHash: null, closedAt: () => 'now()' };
    const { affected } = await this.users.update({ id, passwordHash }, closed);
    return affected === 1;
  }

  /** Closed accounts that are not fully erased. */
  async toErase(): Promise<number[]> {
    const users = await this.users.findBy({ closedAt: Not(IsNull()), erasedAt: IsNull() });
    return users.map(({ id }) => id);
  }

  /** Records that the erasure of a closed account is complete. */
  async markErased(id: number): Promise<void> {
    await this.users.update({ id }, { erasedAt: () => 'now()' });
  }

  /** Changes an open account; returns whether there was one. */
  async change(id: number, changes: Partial<Pick<User, 'name' | 'addableBy'>>): Promise<boolean> {
    const { affected } = await this.users.update({ id, closedAt: IsNull() }, changes);
    return affected === 1;
  }

  /**
   * People whose name has, for each word of the query, a word that begins with it, and the person with exactly this
   * email; by id. When very many match, only a thousand of them are considered: sorting all would read all.
   */
  search(query: string, limit: number): Promise<User[]> {
    const candidates = this.users
      .createQueryBuilder('user')
      .select('user.id')
      .where(`(lower(user.email) = lower(:email) OR ${NAME_WORDS} @@ ${QUERY_WORDS})`)
      .andWhere('user.closedAt IS NULL')
      .limit(MAX_CANDIDATES);
    return this.users
      .createQueryBuilder('found')
      .where(`found.id IN (${candidates.getQuery()})`)
      .setParameters({ query, email: canonicalEmail(query) })
      .orderBy('found.id')
      .limit(limit)
      .getMany();
  }
}
