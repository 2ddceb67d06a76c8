import type { BeforeApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Pool } from 'pg';
import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import type { News, SyncRequest } from '../src/contract/sync.js';
import type { User } from '../src/contract/users.js';
import { ErasureSweeper } from '../src/accounts/erasure.sweeper.js';
import { NameSweeper } from '../src/chats/name.sweeper.js';
import { ActivityWriter } from '../src/messages/activity.writer.js';
import { DeletedChatsSweeper } from '../src/messages/deleted-chats.sweeper.js';
import { LogReader } from '../src/messages/log.reader.js';
import { LogWatermark } from '../src/realtime/delivery/log.watermark.js';
import { LogTailPoller } from '../src/realtime/delivery/log-tail.poller.js';
import { createDatabase, onDatabase } from './support/database.js';
import { nodesOf, type PlanNode, rowsOf } from './support/query-plan.js';
import { TestApp, type TestUser, unique } from './support/test-app.js';

const LONG = 20_000;
const CHATS = 300;

/** Measures the work of PostgreSQL for a request: auto_explain logs the plans of all statements, also in functions. */
describe('query cost', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let long: Chat;
  let said: Message;
  let drop: () => Promise<void>;
  const plans: PlanNode[] = [];

  beforeAll(async () => {
    const database = await createDatabase();
    drop = database.drop;
    await onDatabase(database.url, async (client) => {
      const name = new URL(database.url).pathname.slice(1);
      const settings = {
        session_preload_libraries: 'auto_explain',
        'auto_explain.log_min_duration': '0',
        'auto_explain.log_analyze': 'on',
        'auto_explain.log_nested_statements': 'on',
        'auto_explain.log_format': 'json',
        'auto_explain.log_level': 'notice',
      };
      for (const [key, value] of Object.entries(settings)) {
        await client.query(`ALTER DATABASE ${name} SET ${key} = '${value}'`);
      }
    });
    app = await TestApp.start({ databaseUrl: database.url });
    // The loops are off: their own queries would be measured, too.
    for (const loop of [LogTailPoller, ActivityWriter, DeletedChatsSweeper, ErasureSweeper, NameSweeper]) {
      await app.nest.get<BeforeApplicationShutdown>(loop).beforeApplicationShutdown();
    }
    [ada, bob] = (await app.users(2)) as [TestUser, TestUser];
    long = await ada.group(bob);
    await fill(bob.id);
    said = (await ada.get<[Message]>(`/history/${long.id}?limit=1`)).body[0];
    const { master } = app.nest.get(DataSource).driver as unknown as { master: Pool };
    master.on('connect', (client) =>
      client.on('notice', ({ message }) => {
        const json = message?.split('plan:\n')[1];
        if (json) plans.push((JSON.parse(json) as { Plan: PlanNode }).Plan);
      }),
    );
    // So that every connection of the pool is measured.
    await app.sql(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
  }, 60_000);
  afterAll(async () => {
    await app.close();
    await drop();
  });

  /** Makes a long chat with some edits, many short chats of Ada, and two hundred times as many chats of others. */
  const fill = async (bobId: number): Promise<void> => {
    await app.sql(
      `WITH made AS (
         INSERT INTO chats (type, creator_id, last_seq)
         SELECT 'group', CASE WHEN i % 200 = 0 THEN $1 ELSE $2 END::bigint, 2 FROM generate_series(1, 200 * $3::int) i
         RETURNING id, creator_id),
       named AS (INSERT INTO groups (chat_id, name, member_count) SELECT id, 'short', 1 FROM made),
       said AS (INSERT INTO messages (chat_id, seq, sender_id, text, client_message_id, timestamp)
         SELECT id, s, creator_id, 'text', s::text, now() FROM made, generate_series(1, 2) s)
       INSERT INTO chat_members (chat_id, user_id, role) SELECT id, creator_id, 'owner' FROM made`,
      [ada.id, bobId, CHATS - 1],
    );
    await app.sql(
      `INSERT INTO users (name, search_terms, email, password_hash)
       SELECT 'Somebody', 'somebody a' || i, i || '@example.org', '' FROM generate_series(1, 50000) i`,
    );
    await app.sql(
      `WITH said AS (INSERT INTO messages (chat_id, seq, sender_id, text, client_message_id, timestamp, change_seq)
         SELECT $1, s, $2, 'text', s::text, now(), CASE WHEN s % 20 = 0 THEN s / 20 END FROM generate_series(1, $3::int) s)
       UPDATE chats SET last_seq = $3, last_change_seq = $3 / 20 WHERE id = $1`,
      [long.id, ada.id, LONG],
    );
    await app.sql('VACUUM ANALYZE');
  };

  /** Makes the request. Returns the rows read of each table, the most rows sorted and the highest row estimate. */
  const costOf = async <T>(call: () => Promise<{ status: number; body: T }>) => {
    await call(); // Now the pool has a connection.
    plans.length = 0;
    const { status, body } = await call();
    expect(status).toBe(200);
    const nodes = plans.flatMap(nodesOf);
    expect(nodes.length).toBeGreaterThan(0);
    const scans = nodes.filter((node) => node['Relation Name'] !== undefined);
    const read = (table: string): number =>
      scans.filter((node) => node['Relation Name'] === table).reduce((sum, node) => sum + rowsOf(node), 0);
    const sorted = Math.max(
      0,
      ...nodes.filter((node) => node['Node Type'].includes('Sort')).map((node) => rowsOf(node.Plans![0]!)),
    );
    return {
      body,
      messages: read('messages'),
      chats: read('chats'),
      members: read('chat_members'),
      others: read('groups') + read('private_chats') + read('users') + read('former_members'),
      sorted,
      expected: Math.max(...plans.map((plan) => plan['Plan Rows'])),
      // The loop that polls `sessions` goes on.
      statements: plans.filter((plan) => nodesOf(plan).every((node) => node['Relation Name'] !== 'sessions')).length,
    };
  };

  it.each([
    ['the first page', 'offset=0'],
    ['the last page', `offset=${LONG - 50}`],
    ['a page in the middle', `around_seq=${LONG / 2}`],
    ['the page before', `before_seq=${LONG / 2}`],
    ['the page after', `after_seq=${LONG / 2}`],
  ])('is bounded by the page for %s of a long chat', async (_, query) => {
    const { body, ...cost } = await costOf(() => ada.get<Message[]>(`/history/${long.id}?${query}`));
    expect(body).toHaveLength(50);
    expect(cost).toMatchObject({ messages: 50, chats: 1, members: 1, others: 0 });
    expect(cost.sorted).toBeLessThanOrEqual(50);
    // For thousands of expected rows PostgreSQL would start parallel workers, which cost more than the page.
    expect(cost.expected).toBeLessThanOrEqual(50);
  });

  // One statement sees one snapshot: nobody is shown what came after they were removed.
  it.each<[string, () => string]>([
    ['a page of history', () => `/history/${long.id}`],
    ['a message', () => `/messages/${said.id}`],
    ['the readers of a message', () => `/messages/${said.id}/readers`],
    ['the members of a chat', () => `/chats/${long.id}/members`],
    ['a chat with its members', () => `/chats/${long.id}`],
    ['a group with its members', () => `/groups/${long.id}`],
  ])('is one statement, with the check of membership in it, for %s', async (_, path) => {
    expect((await costOf(() => ada.get(path()))).statements).toBe(1);
  });

  it.each<[string, () => TestUser]>([
    [`${CHATS} chats`, () => ada],
    [`${200 * CHATS} chats`, () => bob],
  ])('is bounded by the page for the list of %s', async (_, user) => {
    const first = await costOf(() => user().get<Chat[]>('/chats?limit=50'));
    const { activity_cursor } = first.body.at(-1)!;
    const next = await costOf(() => user().get<Chat[]>(`/chats?limit=50&before=${activity_cursor}`));
    for (const { body, ...cost } of [first, next]) {
      expect(body).toHaveLength(50);
      expect(cost).toMatchObject({ chats: 50, members: 50, statements: 1 });
      expect(cost.messages).toBeLessThanOrEqual(50);
      expect(cost.others).toBeLessThanOrEqual(50);
      expect(cost.sorted).toBeLessThanOrEqual(50);
    }
    expect(next.body.map(({ id }) => id)).not.toContain(first.body.at(-1)!.id);
  });

  const cursors = (news: News): SyncRequest['cursors'] =>
    Object.fromEntries(
      news.chats.map(({ id, last_seq, last_change_seq }) => [id, { seq: last_seq, change_seq: last_change_seq }]),
    );
  const everything = async (): Promise<SyncRequest['cursors']> => {
    const first = (await ada.post<News>('/sync', { cursors: {}, limit: 1 })).body;
    let all = cursors(first);
    for (let after = first.next_chat_id; after !== null;) {
      const page: News = (await ada.post<News>('/sync', { cursors: {}, after_chat_id: after, limit: 500 })).body;
      all = { ...all, ...cursors(page) };
      after = page.next_chat_id;
    }
    return all;
  };

  it('is no message for a sync with nothing new', async () => {
    const held = await everything();
    expect(Object.keys(held)).toHaveLength(CHATS);
    const { body, ...cost } = await costOf(() => ada.post<News>('/sync', { cursors: held }));
    expect(body).toEqual({ chats: [], removed_chat_ids: [], next_chat_id: null });
    expect(cost).toMatchObject({ messages: 0, others: 0 });
    expect(cost.chats).toBeLessThanOrEqual(CHATS);
    expect(cost.sorted).toBeLessThanOrEqual(CHATS);
  });

  it.each([
    ['new messages', { seq: LONG - 900, change_seq: LONG / 20 }],
    ['changed messages', { seq: LONG, change_seq: 0 }],
    ['both', { seq: LONG - 100, change_seq: 0 }],
    ['a client too far behind', { seq: 0, change_seq: 0 }],
  ])('is the returned messages for a sync with %s', async (_, cursor) => {
    const request = { cursors: { ...(await everything()), [long.id]: cursor }, limit: 200 };
    const { body, ...cost } = await costOf(() => ada.post<News>('/sync', request));
    const returned = body.chats.flatMap(({ messages }) => messages).length;
    expect(returned).toBeGreaterThanOrEqual(20);
    // One row more to know whether there are more, and the last message of the chat.
    expect(cost.messages).toBeLessThanOrEqual(returned + 2);
    expect(cost.chats).toBeLessThanOrEqual(CHATS + 1);
    expect(cost.others).toBe(1);
    expect(cost.sorted).toBeLessThanOrEqual(CHATS);
  });

  it.each([
    ['a rare name', 'a49999', 1, 10],
    ['a rare beginning of a common name', 'some a4999', 11, 30],
    ['a whole email', '49999@example.org', 1, 10],
    ['a name that everybody has', 'somebody', 100, 3_100],
    ['nobody', 'nobody', 0, 0],
  ])('is bounded by the matches for a search of %s', async (_, query, matches, most) => {
    const { body, ...cost } = await costOf(() => ada.get<User[]>(`/users?query=${query}&limit=100`));
    expect(body).toHaveLength(matches);
    expect(cost.statements).toBe(1);
    expect(cost.others).toBeLessThanOrEqual(most);
  });

  it('is the people asked for, and one statement, for a look-up by ids', async () => {
    const ids = Array.from({ length: 100 }, (_, at) => bob.id + 400 * at);
    const { body, ...cost } = await costOf(() => ada.get<User[]>(`/users/lookup?ids=${ids.join('&ids=')}`));
    expect(body).toHaveLength(100);
    expect(cost).toMatchObject({ others: 100, statements: 1 });
  });

  it('is a slice for each statement that deletes old changes', async () => {
    const log = app.nest.get(LogReader);
    await app.sql(
      `INSERT INTO chat_changes (chat_id, seq, kind, data) SELECT 0, 0, 'renamed', '{}' FROM generate_series(1, 12000)`,
    );
    const { changeId } = await log.newest();
    plans.length = 0;
    while (await log.forgetChanges(changeId));
    expect(await app.sql('SELECT FROM chat_changes WHERE id <= $1', [changeId])).toEqual([]);
    const deleted = plans.flatMap(nodesOf).filter((node) => node['Node Type'] === 'ModifyTable');
    expect(deleted.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...deleted.map(rowsOf))).toBeLessThanOrEqual(5_000);
  });

  it('is the new rows for a poll of the log and the catch-up after it', async () => {
    const [log, watermark, tail] = [app.nest.get(LogReader), app.nest.get(LogWatermark), app.nest.get(LogTailPoller)];
    watermark.start(await log.newest());
    const device = await ada.device();
    const { body, ...cost } = await costOf(async () => {
      const text = `unheard ${unique()}`;
      const heard = device.received.length;
      // Committed without a notification.
      await app.sql(
        'SELECT append_messages(ARRAY[$1::bigint], ARRAY[$2::bigint], ARRAY[$3], ARRAY[$3], ARRAY[NULL::bigint])',
        [long.id, ada.id, text],
      );
      await tail.poll();
      await device.next('message:created', (message) => message.text === text);
      return { status: 200, body: device.received.length - heard };
    });
    expect(body).toBe(1);
    // The low watermark is some seconds behind, so the poll reads the message of the call before, too.
    expect(cost.messages).toBeLessThanOrEqual(4);
    expect(cost.chats).toBe(1);
  });

  it('is the members who have changed for a sync of a large group', async () => {
    // Of 10,000 members five changed last, of 10,000 former ones five left last.
    const latest = 'CASE WHEN row_number() OVER () > 5 THEN 1 ELSE $2::bigint END';
    const some = `SELECT id, row_number() OVER () AS at FROM users WHERE search_terms LIKE 'somebody%' LIMIT`;
    const inserts = [
      `INSERT INTO chat_members (chat_id, user_id, change_seq) SELECT $1, id, ${latest} FROM (${some} 10000) x`,
      `INSERT INTO former_members (chat_id, user_id, change_seq, wrote)
       SELECT $1, id, ${latest}, false FROM (${some} 10000 OFFSET 10000) x`,
    ];
    for (const insert of inserts) await app.sql(insert, [long.id, LONG / 20]);
    await app.sql('VACUUM ANALYZE chat_members, former_members');
    const cursors = { ...(await everything()), [long.id]: { seq: LONG, change_seq: LONG / 20 - 1 } };
    const { body, ...cost } = await costOf(() => ada.post<News>('/sync', { cursors }));
    const { members, left_user_ids } = body.chats.find(({ id }) => id === long.id)!;
    expect([members!.length, left_user_ids.length]).toEqual([5, 5]);
    // Two for each cursor, two to check that she is still there, and the five.
    expect(cost.members).toBeLessThanOrEqual(2 * CHATS + 2 + 5);
    expect(cost.others).toBeLessThanOrEqual(5 + 5 + 1);
  });
});
