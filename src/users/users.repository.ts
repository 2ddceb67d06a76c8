import { Injectable } from '@nestjs/common';
import { IsNull, Not, QueryFailedError } from 'typeorm';
import { UnitOfWork } from '../database/unit-of-work.js';
import { User } from './user.entity.js';

/** What a closed account is called. */
const CLOSED_NAME = 'Deleted account';

/** What an account starts with. */
export interface NewUser {
  readonly name: string;
  readonly email: string;
  readonly passwordHash: string;
}

const UNIQUE_VIOLATION = '23505';
const MAX_CANDIDATES = 1_000;

/** Text as its words with one space between. PostgreSQL splits names and queries alike; JavaScript takes other characters for letters. */
const words = (text: string): string => `regexp_replace(${text}, '[^[:alnum:]]+', ' ', 'g')`;

/** Must read like the index `users_name_words`, or PostgreSQL won't use it. */
const NAME_WORDS = `to_tsvector('simple', ${words('user.name')})`;

/** Each word of the query as a beginning; null when it has none. */
const QUERY_WORDS = `to_tsquery('simple', replace(nullif(trim(${words(':query')}), ''), ' ', ':* & ') || ':*')`;

@Injectable()
export class UsersRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  private get users() {
    return this.unitOfWork.repository(User);
  }

  /** The new user, or undefined when the email is taken, whatever its case. */
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

  findById(id: number): Promise<User | null> {
    return this.users.findOneBy({ id });
  }

  /** The ids among these that are users, who don't close their accounts until the transaction ends. */
  async holdOpen(ids: readonly number[]): Promise<number[]> {
    const rows: { id: number }[] = await this.unitOfWork.manager.query(
      'SELECT id FROM users WHERE id = ANY($1) AND closed_at IS NULL ORDER BY id FOR SHARE',
      [ids],
    );
    return rows.map(({ id }) => id);
  }

  /** With the password's hash, for a login. */
  findByEmailWithPassword(email: string): Promise<User | null> {
    return this.users
      .createQueryBuilder('user')
      .addSelect('user.passwordHash')
      .where('lower(user.email) = lower(:email)', { email })
      .getOne();
  }

  /** With the password's hash, for its change. */
  findByIdWithPassword(id: number): Promise<User | null> {
    return this.users.createQueryBuilder('user').addSelect('user.passwordHash').where({ id }).getOne();
  }

  /** Whether the password has this hash; if so, the account is locked until the transaction ends. */
  async holdPassword(id: number, passwordHash: string): Promise<boolean> {
    const query = this.users.createQueryBuilder('user').where({ id, passwordHash }).setLock('for_no_key_update');
    return (await query.getOne()) !== null;
  }

  /** Whether the password had the hash `from`; only then it is changed. */
  async changePassword(id: number, from: string, to: string): Promise<boolean> {
    const { affected } = await this.users.update({ id, passwordHash: from }, { passwordHash: to });
    return affected === 1;
  }

  /** Whether the password had this hash; only then the account is closed, and everything about the person gone. */
  async close(id: number, passwordHash: string): Promise<boolean> {
    const nothing = { name: CLOSED_NAME, email: null, passwordHash: null, closedAt: () => 'now()' };
    const { affected } = await this.users.update({ id, passwordHash }, nothing);
    return affected === 1;
  }

  /** Closed accounts of which something may be left. */
  async toErase(): Promise<number[]> {
    const users = await this.users.findBy({ closedAt: Not(IsNull()), erasedAt: IsNull() });
    return users.map(({ id }) => id);
  }

  async markErased(id: number): Promise<void> {
    await this.users.update({ id }, { erasedAt: () => 'now()' });
  }

  /** Whether there was such a user. */
  async rename(id: number, name: string): Promise<boolean> {
    const { affected } = await this.users.update({ id, closedAt: IsNull() }, { name });
    return affected === 1;
  }

  /**
   * People with a word in their name that starts with each word of the query, and the one with this very email; by id.
   * Of a beginning that very many share, a thousand are looked at: ordering them all would read them all.
   */
  search(query: string, limit: number): Promise<User[]> {
    const candidates = this.users
      .createQueryBuilder('user')
      .select('user.id')
      .where(`(lower(user.email) = lower(:query) OR ${NAME_WORDS} @@ ${QUERY_WORDS})`)
      .andWhere('user.closedAt IS NULL')
      .limit(MAX_CANDIDATES);
    return this.users
      .createQueryBuilder('found')
      .where(`found.id IN (${candidates.getQuery()})`)
      .setParameters({ query })
      .orderBy('found.id')
      .limit(limit)
      .getMany();
  }
}
