import { Injectable } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { UnitOfWork } from '../database/unit-of-work.js';
import { User } from './user.entity.js';

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
  async create(fields: Pick<User, 'name' | 'email' | 'passwordHash'>): Promise<User | undefined> {
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

  /** The ids among these that are users. */
  async existing(ids: readonly number[]): Promise<number[]> {
    const query = this.users.createQueryBuilder('user').select('user.id', 'id').where('user.id = ANY(:ids)', { ids });
    return (await query.getRawMany<{ id: number }>()).map(({ id }) => id);
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

  /** Whether there was such a user. */
  async rename(id: number, name: string): Promise<boolean> {
    const { affected } = await this.users.update({ id }, { name });
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
      .where('lower(user.email) = lower(:query)')
      .orWhere(`${NAME_WORDS} @@ ${QUERY_WORDS}`)
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
