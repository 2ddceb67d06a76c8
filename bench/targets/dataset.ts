import { createSecretKey, randomBytes } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import { Client } from 'pg';
import { TOKEN_ALGORITHM } from '../../src/auth/tokens.service.js';

/**
 * The users and chats of a run. They are inserted directly into the database, and their tokens are signed here like the
 * application does: thousands of registrations and logins would take an hour of argon2, which isn't measured.
 */
export interface Dataset {
  /** The number of users; their ids are 1, 2, 3 … */
  readonly users: number;
  readonly chats: readonly DatasetChat[];
}

export interface DatasetChat {
  readonly id: number;
  readonly type: 'private' | 'group';
  readonly memberIds: readonly number[];
}

export const JWT_SECRET = randomBytes(32).toString('hex');

const jwt = new JwtService({ secret: createSecretKey(JWT_SECRET, 'utf8') as unknown as string });

const sessionOf = (userId: number): string => `00000000-0000-4000-8000-${userId.toString(16).padStart(12, '0')}`;

/** An access token of this user, valid for an hour. */
export const tokenOf = (userId: number): string =>
  jwt.sign({ sid: sessionOf(userId) }, { algorithm: TOKEN_ALGORITHM, expiresIn: '1h', subject: String(userId) });

/** Inserts a dataset into the application's database. */
export async function fillOurs(url: string, { users, chats }: Dataset): Promise<void> {
  const groups = chats.filter(({ type }) => type === 'group');
  const couples = chats.filter(({ type }) => type === 'private');
  const ids = chats.map(({ id }) => id);
  await withDatabase(url, async (db) => {
    await db.query(
      `INSERT INTO users (id, name, email, password_hash)
       SELECT i, 'User ' || i, 'user' || i || '@example.com', '-' FROM generate_series(1, $1::int) i`,
      [users],
    );
    await db.query(
      `INSERT INTO sessions (id, user_id, address, current_hash, expires_at)
       SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, i, '127.0.0.1', '', now() + interval '1 day'
       FROM generate_series(1, $1::int) i`,
      [users],
    );
    await db.query(
      'INSERT INTO chats (id, type, creator_id) SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])',
      [ids, chats.map(({ type }) => type), chats.map(({ memberIds }) => memberIds[0])],
    );
    await db.query('INSERT INTO private_chats SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])', [
      couples.map(({ id }) => id),
      couples.map(({ memberIds }) => memberIds[0]),
      couples.map(({ memberIds }) => memberIds[1]),
    ]);
    await db.query(
      `INSERT INTO groups (chat_id, name, member_count)
       SELECT id, 'Group ' || id, size FROM unnest($1::bigint[], $2::int[]) AS g(id, size)`,
      [groups.map(({ id }) => id), groups.map(({ memberIds }) => memberIds.length)],
    );
    await db.query(`INSERT INTO chat_members (chat_id, user_id) ${MEMBERSHIPS}`, memberships(chats));
    await db.query(
      `UPDATE chat_members m SET role = 'owner' FROM chats c
       WHERE c.id = m.chat_id AND c.type = 'group' AND m.user_id = c.creator_id`,
    );
    await db.query('ANALYZE');
  });
}

/** Inserts a dataset into the database of the baseline. */
export async function fillBaseline(url: string, { chats }: Dataset): Promise<void> {
  await withDatabase(url, async (db) => {
    await db.query('INSERT INTO chats (id) SELECT unnest($1::bigint[])', [chats.map(({ id }) => id)]);
    await db.query(`INSERT INTO chat_members (chat_id, user_id) ${MEMBERSHIPS}`, memberships(chats));
    await db.query('ANALYZE');
  });
}

const MEMBERSHIPS = 'SELECT * FROM unnest($1::bigint[], $2::bigint[])';

function memberships(chats: readonly DatasetChat[]): [number[], number[]] {
  return [
    chats.flatMap(({ id, memberIds }) => memberIds.map(() => id)),
    chats.flatMap(({ memberIds }) => [...memberIds]),
  ];
}

/** Runs `work` with a new connection. */
export async function withDatabase<T>(url: string, work: (db: Client) => Promise<T>): Promise<T> {
  const db = new Client({ connectionString: url });
  await db.connect();
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}
