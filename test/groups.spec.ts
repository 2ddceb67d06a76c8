import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import { untilDelivered, receivedIn } from './support/received-events.js';
import { onDatabase, waitingForLock } from './support/database.js';
import { expectSameAnswer, expectProblem } from './support/expect-problem.js';
import {
  addUser,
  groupWithAllRelations,
  type GroupAction,
  deleteGroup,
  fourUsers,
  type Relation,
  RELATIONS,
  putMember,
  deleteMember,
  removeUser,
  rename,
  groupAsSeenBy,
  setRole,
} from './support/group-actions.js';
import { TestApp, type TestUser } from './support/test-app.js';

const NOWHERE = { id: 987_654_321 };

describe('groups', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  const rolesIn = async (user: TestUser, group: Chat): Promise<Record<number, string>> =>
    Object.fromEntries((await groupAsSeenBy(user, group)).members.map(({ user_id, role }) => [user_id, role]));

  /** Waits until the database has no row of the group. */
  const nothingIsLeftOf = async ({ id }: Chat): Promise<void> => {
    const count = `SELECT (SELECT count(*) FROM messages WHERE chat_id = $1) + (SELECT count(*) FROM groups WHERE chat_id = $1)
      + (SELECT count(*) FROM chat_members WHERE chat_id = $1) + (SELECT count(*) FROM chats WHERE id = $1) AS rows`;
    const deadline = Date.now() + 10_000;
    let rows = 1;
    while (rows > 0 && Date.now() < deadline) rows = Number((await app.sql(count, [id]))[0].rows);
    expect(rows).toBe(0);
  };

  describe('roles', () => {
    it.each<[string, Relation, GroupAction, Relation, number, Relation[]]>([
      ['rename the group', 'member', rename, 'member', 200, ['admin', 'owner']],
      ['add a person (add_user)', 'outsider', addUser, 'member', 200, ['admin', 'owner']],
      ['add a person (PUT)', 'outsider', putMember, 'member', 200, ['admin', 'owner']],
      ['remove a member (remove_user)', 'member', removeUser, 'outsider', 204, ['admin', 'owner']],
      ['remove a member (DELETE)', 'member', deleteMember, 'outsider', 204, ['admin', 'owner']],
      ['remove an admin (remove_user)', 'admin', removeUser, 'outsider', 204, ['owner']],
      ['remove an admin (DELETE)', 'admin', deleteMember, 'outsider', 204, ['owner']],
      ['make a member an admin', 'member', setRole('admin'), 'admin', 200, ['owner']],
      ['make an admin a member', 'admin', setRole('member'), 'member', 200, ['owner']],
      ['hand the group over', 'member', setRole('owner'), 'owner', 200, ['owner']],
    ])('%s', async (_, place, action, becomes, status, allowed) => {
      const { group, ...by } = await groupWithAllRelations(app);
      for (const role of RELATIONS) {
        const target = await app.user();
        if (place !== 'outsider') await putMember(by.owner, group, target);
        if (place === 'admin') await setRole('admin')(by.owner, group, target);
        const before = await groupAsSeenBy(by.owner, group);
        const answer = await action(by[role], group, target);
        const after = await groupAsSeenBy(by.owner, group);
        if (allowed.includes(role)) {
          expect([role, answer.status]).toEqual([role, status]);
          expect(after.last_change_seq).toBeGreaterThan(before.last_change_seq);
          expect(after.members).toHaveLength(after.member_count);
          expect((await rolesIn(by.owner, group))[target.id] ?? 'outsider').toBe(becomes);
        } else {
          if (role === 'outsider') expectProblem(answer, 404, 'group_not_found');
          else expectProblem(answer, 403, 'forbidden');
          expect(after).toEqual(before);
        }
        if (role === 'outsider') expectSameAnswer(answer, await action(by[role], NOWHERE, target));
      }
    });

    it('keep the owner: nobody removes them, and they step down only by handing over', async () => {
      const { group, owner, admin, member } = await groupWithAllRelations(app);
      for (const actor of [admin, member]) {
        for (const action of [deleteMember, removeUser])
          expectProblem(await action(actor, group, owner), 403, 'forbidden');
      }
      for (const role of ['admin', 'member']) expectProblem(await setRole(role)(owner, group, owner), 403, 'forbidden');

      const { status, body } = await setRole('owner')(owner, group, member);
      expect([status, body.user_id, body.role]).toEqual([200, member.id, 'owner']);
      expect(await rolesIn(owner, group)).toEqual({ [owner.id]: 'admin', [admin.id]: 'admin', [member.id]: 'owner' });
      expect((await groupAsSeenBy(member, group)).my_role).toBe('owner');
    });

    it('are given only to existing users who are in the group', async () => {
      const { group, owner, outsider } = await groupWithAllRelations(app);
      for (const action of [putMember, addUser, deleteMember, setRole('admin')]) {
        expectProblem(await action(owner, group, NOWHERE), 404, 'user_not_found');
      }
      for (const action of [deleteMember, removeUser, setRole('owner')]) {
        expectProblem(await action(owner, group, outsider), 404, 'user_not_found');
      }
    });

    it('are validated, and so are group names', async () => {
      const { group, owner, member } = await groupWithAllRelations(app);
      const wrong: [unknown, string][] = [
        [{}, 'name'],
        [{ name: ' ' }, 'name'],
        [{ name: 'x'.repeat(101) }, 'name'],
      ];
      for (const [body, field] of [...wrong, [{ name: 'x', type: 'private' }, 'type']] as const) {
        expectProblem(await owner.patch(`/groups/${group.id}`, body), 400, 'validation_failed', [field]);
        expectProblem(await owner.post('/groups', body), 400, 'validation_failed', [field]);
      }
      for (const role of ['king', '', null, undefined, ['admin']]) {
        const answer = await owner.patch(`/groups/${group.id}/members/${member.id}`, { role });
        expectProblem(answer, 400, 'validation_failed', ['role']);
      }
    });
  });

  it('are distinct from private chats: group routes refuse those', async () => {
    const [ada, ben, eve] = await fourUsers(app);
    const chat = await ada.privateChat(ben);
    expectProblem(await ada.get(`/groups/${chat.id}`), 404, 'group_not_found');
    expectSameAnswer(await ada.get(`/groups/${chat.id}`), await ada.get(`/groups/${NOWHERE.id}`));
    for (const action of [rename, deleteGroup, putMember, deleteMember, addUser, removeUser, setRole('owner')]) {
      for (const target of [ada, ben, eve]) expectProblem(await action(ada, chat, target), 409, 'not_a_group');
      expectSameAnswer(await action(eve, chat, eve), await action(eve, NOWHERE, eve));
    }
    expect((await ben.get(`/chats/${chat.id}`)).body).toMatchObject({ last_change_seq: 0, member_count: 2 });
  });

  describe('membership', () => {
    it('gives a new member the whole history, marked as read', async () => {
      const [ada, ben, cara] = await fourUsers(app);
      const group = await ada.group(ben);
      for (let said = 0; said < 3; said += 1) await ada.say(group);
      const added = await putMember(ada, group, cara);
      const joined_at = expect.stringMatching(/Z$/);
      const member = { user_id: cara.id, name: cara.name, role: 'member', joined_at, last_read_seq: 3 };
      expect([added.status, added.body]).toEqual([200, member]);
      expect(await groupAsSeenBy(cara, group)).toMatchObject({
        my_role: 'member',
        member_count: 3,
        last_message: { seq: 3 },
      });
      expect(await groupAsSeenBy(cara, group)).toMatchObject({ last_read_seq: 3, unread_count: 0, read_by_all_seq: 0 });
      const history = await cara.get<Message[]>(`/messages/history/${group.id}`);
      expect(history.body.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect((await cara.get('/chats')).body).toHaveLength(1);
    });

    it('does not change, and publishes nothing, when a member is added again', async () => {
      const { group, owner, admin, member } = await groupWithAllRelations(app);
      const devices = await Promise.all([owner.device(), admin.device(), member.device()]);
      const before = await groupAsSeenBy(owner, group);
      for (const action of [putMember, addUser]) {
        const { status, body } = await action(owner, group, admin);
        expect([status, body]).toEqual([200, before.members.find(({ role }) => role === 'admin')]);
      }
      expect(await groupAsSeenBy(owner, group)).toEqual(before);
      await untilDelivered([owner, admin, member], devices);
      for (const device of devices) expect(receivedIn(device, group)).toEqual([]);
    });

    it('is created once when several members add the same user at once', async () => {
      const { group, owner, admin, outsider } = await groupWithAllRelations(app);
      const device = await outsider.device();
      const before = await groupAsSeenBy(owner, group);
      const adding = Array.from({ length: 10 }, (_, at) => putMember(at % 2 ? owner : admin, group, outsider));
      const answers = await Promise.all(adding);
      for (const { status, body } of answers) expect([status, body]).toEqual([200, answers[0]!.body]);
      const { member_count, last_change_seq, members } = await groupAsSeenBy(outsider, group);
      expect([member_count, members.length, last_change_seq]).toEqual([4, 4, before.last_change_seq + 1]);
      await untilDelivered([outsider], [device]);
      expect(receivedIn(device, group).filter(({ event }) => event === 'chat:created')).toHaveLength(1);
    });

    it('passes ownership to the longest-standing admin, else member, when the owner leaves', async () => {
      const byId = (await fourUsers(app)).sort((a, b) => a.id - b.id);
      const [one, two, three, four] = byId;
      const group = await four.group();
      for (const user of [three, two, one]) await putMember(four, group, user);
      await setRole('admin')(four, group, one);
      await setRole('admin')(four, group, two);
      expect((await deleteMember(four, group, four)).status).toBe(204);
      expect(await rolesIn(one, group)).toEqual({ [three.id]: 'member', [two.id]: 'owner', [one.id]: 'admin' });
      expect((await deleteMember(one, group, one)).status).toBe(204);
      await putMember(two, group, one);
      expect((await removeUser(two, group, two)).status).toBe(204);
      expect(await rolesIn(three, group)).toEqual({ [three.id]: 'owner', [one.id]: 'member' });
      expect(await groupAsSeenBy(three, group)).toMatchObject({ creator_id: four.id, member_count: 2 });
    });

    it('leaves nothing behind when all members leave at once', async () => {
      const users = await fourUsers(app);
      const group = await users[0].group(...users.slice(1));
      await users[1].say(group);
      const answers = await Promise.all(users.map((user) => deleteMember(user, group, user)));
      expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
      await nothingIsLeftOf(group);
    });
  });

  it('are removed with all their messages when they are deleted', async () => {
    const { group, owner, admin, member, outsider } = await groupWithAllRelations(app);
    const message = await member.say(group);
    const many = `INSERT INTO messages (chat_id, seq, sender_id, text, client_message_id, timestamp)
      SELECT $1, n, $2, 'x', n, now() FROM generate_series(2, 4500) n`;
    await app.sql(many, [group.id, owner.id]);
    await app.sql('UPDATE chats SET last_seq = 4500 WHERE id = $1', [group.id]);
    const outsiders = await deleteGroup(outsider, group, owner);
    expectProblem(outsiders, 404, 'group_not_found');
    for (const user of [admin, member]) expectProblem(await deleteGroup(user, group, owner), 403, 'forbidden');
    const { status, body } = await deleteGroup(owner, group, owner);
    expect([status, body]).toEqual([204, '']);
    for (const user of [owner, admin, member]) {
      expectProblem(await user.get(`/groups/${group.id}`), 404, 'group_not_found');
      expectProblem(await user.get(`/messages/history/${group.id}`), 404, 'chat_not_found');
      expectProblem(await user.get(`/messages/${message.id}`), 404, 'message_not_found');
      expectProblem(await user.post('/messages', { chat_id: group.id, text: 'hello?' }), 404, 'chat_not_found');
      expect((await user.get('/chats')).body).toEqual([]);
    }
    expectSameAnswer(await deleteGroup(owner, group, owner), outsiders);
    await nothingIsLeftOf(group);
  });

  it('are removed although those of a group that was deleted before cannot be', async () => {
    const owner = await app.user();
    const [stuck, next] = [await owner.group(), await owner.group()];
    for (const group of [stuck, next]) await owner.say(group);
    await app.sql(`CREATE FUNCTION stick() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stuck'; END $$`);
    await app.sql(`CREATE TRIGGER stick BEFORE DELETE ON messages FOR EACH ROW
      WHEN (old.chat_id = ${stuck.id}) EXECUTE FUNCTION stick()`);
    for (const { id } of [stuck, next]) await owner.delete(`/groups/${id}`);
    await nothingIsLeftOf(next);
    await app.sql('DROP TRIGGER stick ON messages');
    await nothingIsLeftOf(stuck);
  });

  it('are removed by another node when the node that deleted them is gone', async () => {
    const { group, member } = await groupWithAllRelations(app);
    await member.say(group);
    // The state that a crash right after the commit leaves.
    await app.sql('DELETE FROM chat_members WHERE chat_id = $1', [group.id]);
    await app.sql('DELETE FROM groups WHERE chat_id = $1', [group.id]);
    await app.sql('UPDATE chats SET deleted_at = now() WHERE id = $1', [group.id]);
    await nothingIsLeftOf(group);
  });

  it('keep their row while another node is still deleting their messages', async () => {
    const { group, owner, member } = await groupWithAllRelations(app);
    await member.say(group);
    await member.say(group);
    await onDatabase(app.databaseUrl, async (client) => {
      await client.query('BEGIN');
      await client.query('DELETE FROM messages WHERE chat_id = $1 AND seq = 1', [group.id]);
      await deleteGroup(owner, group, owner);
      await waitingForLock(client, 1, 'DELETE FROM messages');
      // So the waiting sweep finds none of its slice, although there are more messages.
      await client.query('UPDATE messages SET seq = 9001 WHERE chat_id = $1', [group.id]);
      await client.query('COMMIT');
    });
    await nothingIsLeftOf(group);
  });
});
