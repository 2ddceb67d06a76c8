import { NameSweeper } from '../src/chats/name.sweeper.js';
import type { Chat, Member } from '../src/contract/chats.js';
import type { News, SyncCursor } from '../src/contract/sync.js';
import { receivedIn, untilDelivered } from './support/received-events.js';
import type { Device } from './support/device.js';
import { PASSWORD, TestApp, type TestUser, unique } from './support/test-app.js';

/** How a person's new name gets to everybody who shares a chat with them. */
describe('a new name', () => {
  let app: TestApp;
  let ada: TestUser;
  let bob: TestUser;
  let eve: TestUser;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());
  beforeEach(async () => ([ada, bob, eve] = (await app.users(3)) as [TestUser, TestUser, TestUser]));

  const rename = async (user: TestUser, name = `Name ${unique()}`): Promise<string> => {
    expect((await user.patch('/users/me', { name })).status).toBe(200);
    return name;
  };
  const named = (device: Device, chat: Chat, name: string) =>
    device.next('member:updated', ({ chat_id, member }) => chat_id === chat.id && member.name === name);
  const cursorOf = async (user: TestUser, { id }: Chat): Promise<Record<string, SyncCursor>> => {
    const { last_seq, last_change_seq } = (await user.get<Chat>(`/chats/${id}`)).body;
    return { [id]: { seq: last_seq, change_seq: last_change_seq } };
  };
  const sync = async (user: TestUser, cursors: Record<string, SyncCursor>): Promise<News> =>
    (await user.post<News>('/sync', { cursors })).body;
  const changesOf = async ({ id }: Chat): Promise<number> =>
    (await app.sql('SELECT last_change_seq FROM chats WHERE id = $1', [id]))[0].last_change_seq as number;
  const told = async ({ id }: TestUser): Promise<void> => {
    const steps = app.nest.get(NameSweeper).tell(id);
    while (!(await steps.next()).done);
  };

  it('reaches the devices of all who share a chat, and of the person, and nobody else', async () => {
    const [group, pair, elsewhere] = [await ada.group(bob), await ada.privateChat(bob), await bob.group(eve)];
    const [adas, bobs, eves] = await Promise.all([ada.device(), bob.device(), eve.device()]);
    const name = await rename(ada);
    for (const chat of [group, pair]) {
      const members = (await bob.get<Member[]>(`/chats/${chat.id}/members`)).body;
      const member = members.find(({ user_id }) => user_id === ada.id);
      for (const device of [adas, bobs]) {
        expect(await named(device, chat, name)).toEqual({ chat_id: chat.id, change_seq: 1, member });
      }
    }
    expect((await bob.get<Chat>(`/chats/${pair.id}`)).body.name).toBe(name);
    await untilDelivered([ada, bob, eve], [adas, bobs, eves]);
    expect(eves.all('member:updated')).toEqual([]);
    expect(receivedIn(bobs, elsewhere)).toEqual([]);
  });

  it('comes by sync to who was away: the member, and the name of the private chat', async () => {
    const [group, pair] = [await ada.group(bob, eve), await ada.privateChat(bob)];
    const cursors = { ...(await cursorOf(bob, group)), ...(await cursorOf(bob, pair)) };
    const name = await rename(ada);
    await told(ada);
    const { chats } = await sync(bob, cursors);
    const adas = expect.objectContaining({ user_id: ada.id, name });
    expect(chats).toMatchObject([
      { id: group.id, name: group.name, members: [adas], left_user_ids: [], messages: [] },
      { id: pair.id, name, members: [adas], left_user_ids: [], messages: [] },
    ]);
  });

  it('is told once in each chat, and not at all when it is the old one', async () => {
    const groups = await Promise.all([ada.group(bob), ada.group(bob)]);
    const device = await bob.device();
    await rename(ada, 'The first name');
    await told(ada);
    await rename(ada, 'The first name');
    await ada.patch('/users/me', { addable_by: 'correspondents' });
    await told(ada);
    for (const group of groups) {
      await named(device, group, 'The first name');
      expect(await changesOf(group)).toBe(1);
    }
  });

  it('reaches very many chats after the answer, and the last of many names reaches all', async () => {
    const CHATS = 300;
    const ids: number[] = await app
      .sql<{ id: number }>(
        `WITH made AS (INSERT INTO chats (type, creator_id) SELECT 'group', $1 FROM generate_series(1, $3::int) RETURNING id),
       named AS (INSERT INTO groups (chat_id, name, member_count) SELECT id, 'one of many', 2 FROM made)
       INSERT INTO chat_members (chat_id, user_id) SELECT id, unnest(ARRAY[$1::bigint, $2]) FROM made RETURNING chat_id AS id`,
        [ada.id, bob.id, CHATS],
      )
      .then((rows) => [...new Set(rows.map(({ id }) => id))]);
    const device = await bob.device();
    const last = await (async () => {
      for (const name of ['One', 'Two', 'Three']) await rename(ada, name);
      return rename(ada);
    })();
    expect(device.all('member:updated').length).toBeLessThan(CHATS);
    await told(ada);
    const latest = () => new Map(device.all('member:updated').map(({ chat_id, member }) => [chat_id, member.name]));
    await device.until(() => ids.every((id) => latest().get(id) === last));
    // Two loops at once tell no chat twice: each took no more changes than there were names.
    const counts = await app.sql('SELECT max(last_change_seq) AS most FROM chats WHERE id = ANY($1)', [ids]);
    expect(counts[0].most).toBeLessThanOrEqual(4);
  });

  it('is told by any node to the chats that a crash has left out', async () => {
    const [before, after] = [await ada.group(bob), await ada.group(bob)];
    const device = await bob.device();
    // The state when the node dies after the first of the two chats.
    await app.sql('UPDATE chat_members SET name_version = 1 WHERE chat_id = $1 AND user_id = $2', [before.id, ada.id]);
    await app.sql("UPDATE users SET name = 'Unheard', name_version = 1 WHERE id = $1", [ada.id]);
    await named(device, after, 'Unheard');
    await told(ada);
    expect([await changesOf(before), await changesOf(after)]).toEqual([0, 1]);
  });

  it('is told in all chats although one of them fails, and there when it no longer does', async () => {
    const [stuck, group] = [await ada.group(bob), await ada.group(bob)];
    const device = await bob.device();
    await app.sql(`CREATE FUNCTION stick() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stuck'; END $$`);
    await app.sql(`CREATE TRIGGER stick BEFORE UPDATE ON chat_members FOR EACH ROW
      WHEN (old.chat_id = ${stuck.id}) EXECUTE FUNCTION stick()`);
    const name = await rename(ada);
    await named(device, group, name);
    await app.sql('DROP TRIGGER stick ON chat_members');
    await named(device, stuck, name);
    expect([await changesOf(stuck), await changesOf(group)]).toEqual([1, 1]);
  });

  it('is that of a closed account, too, in the private chats that it leaves', async () => {
    const pair = await ada.privateChat(bob);
    const [device, cursors] = [await bob.device(), await cursorOf(bob, pair)];
    expect((await ada.request('DELETE', '/users/me', { password: PASSWORD })).status).toBe(204);
    await named(device, pair, 'Deleted account');
    expect((await sync(bob, cursors)).chats).toMatchObject([{ id: pair.id, name: 'Deleted account' }]);
    expect(await changesOf(pair)).toBe(1);
  });
});
