import { Injectable } from '@nestjs/common';
import { IsNull, LessThan, Not, QueryFailedError } from 'typeorm';
import { UnitOfWork } from '../database/unit-of-work.js';
import { canonicalEmail } from './email.js';
import { foldedWords, nameTerms } from './name-terms.js';
import { User } from './user.entity.js';

/** The name that a closed account shows. */
const CLOSED_NAME = 'Deleted account';

/** What everybody sees of a person. */
type Person = Pick<User, 'id' | 'name' | 'createdAt'>;

/** The fields of a new account. */
export interface NewUser {
  readonly name: string;
  readonly email: string;
  readonly passwordHash: string;
}

const UNIQUE_VIOLATION = '23505';
/** Matches of each rank that a search considers, at the most: to sort all of very many would be to read them all. */
const MAX_MATCHES = 1_000;

/** SQL: must be the expression of the index `users_search_terms`, or PostgreSQL won't use the index. */
const TERMS = `array_to_tsvector(string_to_array(search_terms, ' '))`;

/** The table `users`. Only `UsersService` uses it. */
@Injectable()
export class UsersRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  private get users() {
    return this.unitOfWork.repository(User);
  }

  /** Inserts a user; undefined when the email is taken, whatever its case. */
  async create(fields: NewUser): Promise<User | undefined> {
    const user = this.users.create({ ...fields, searchTerms: nameTerms(fields.name) });
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

  /** The users with these ids in their order, also those whose account is closed. */
  findByIds(ids: readonly number[]): Promise<Person[]> {
    return this.unitOfWork.manager.query(
      `SELECT u.id, u.name, u.created_at AS "createdAt"
       FROM unnest($1::bigint[]) WITH ORDINALITY AS asked(id, place) JOIN users u ON u.id = asked.id ORDER BY place`,
      [ids],
    );
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
    const closed = {
      name: CLOSED_NAME,
      nameVersion: () => 'name_version + 1',
      searchTerms: '',
      email: null,
      passwordHash: null,
      closedAt: () => 'now()',
    };
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

  /** Changes an open account; returns whether some chats have yet to be told its name, or undefined without one. */
  async change(
    id: number,
    { name, addableBy }: Partial<Pick<User, 'name' | 'addableBy'>>,
  ): Promise<boolean | undefined> {
    const [rows]: [{ is_untold: boolean }[], number] = await this.unitOfWork.manager.query(
      `UPDATE users SET name = coalesce($2, name), search_terms = coalesce($3, search_terms),
         name_version = name_version + CASE WHEN $2 <> name THEN 1 ELSE 0 END, addable_by = coalesce($4, addable_by)
       WHERE id = $1 AND closed_at IS NULL RETURNING told_name_version < name_version AS is_untold`,
      [id, name, name === undefined ? undefined : nameTerms(name), addableBy],
    );
    return rows[0]?.is_untold;
  }

  /** Those with an open account of whom some chats have yet to be told the name. */
  async renamed(): Promise<number[]> {
    const rows: { id: number }[] = await this.unitOfWork.manager.query(
      'SELECT id FROM users WHERE told_name_version < name_version AND closed_at IS NULL',
    );
    return rows.map(({ id }) => id);
  }

  /** The version of the user's name, if some chats have yet to be told it. */
  async untoldNameVersion(id: number): Promise<number | undefined> {
    const user = await this.users.findOneBy({ id });
    return user && user.toldNameVersion < user.nameVersion ? user.nameVersion : undefined;
  }

  /** Records that all chats have been told the name of this version. */
  async markNameTold(id: number, version: number): Promise<void> {
    await this.users.update({ id, toldNameVersion: LessThan(version) }, { toldNameVersion: version });
  }

  /**
   * A page of the people whom a query finds: first those whose whole name it is, and the one whose email it is; then
   * those whose name has all its words; then those whose name has, for each of its words, a word that begins with it.
   * By id within each of these. When very many match, a thousand of each are considered.
   */
  search(query: string, limit: number, offset: number): Promise<Person[]> {
    const words = foldedWords(query);
    // Letters, digits and marks alone, so nothing in a word needs escaping.
    const all = (suffix: string): string | null => words.map((word) => `'${word}'${suffix}`).join(' & ') || null;
    const matches = (rank: number, condition: string): string =>
      `(SELECT id, ${rank} AS rank FROM users WHERE ${condition} AND closed_at IS NULL LIMIT ${MAX_MATCHES})`;
    return this.unitOfWork.manager.query(
      `SELECT u.id, u.name, u.created_at AS "createdAt" FROM (
         SELECT id, min(rank) AS rank FROM (
           ${matches(0, 'lower(email) = lower($1)')}
           UNION ALL ${matches(0, `search_terms = $2 AND search_terms <> ''`)}
           UNION ALL ${matches(1, `${TERMS} @@ $3::tsquery`)}
           UNION ALL ${matches(2, `${TERMS} @@ $4::tsquery`)}
         ) matches GROUP BY id ORDER BY min(rank), id LIMIT $5 OFFSET $6
       ) page JOIN users u ON u.id = page.id ORDER BY page.rank, page.id`,
      [canonicalEmail(query), nameTerms(query), all(''), all(':*'), limit, offset],
    );
  }
}
