import type { Message } from '../src/contract/messages.js';
import { untilDelivered, receivedIn } from './support/received-events.js';
import type { Device } from './support/device.js';
import {
  groupWithAllRelations,
  deleteGroup,
  fourUsers,
  putMember,
  deleteMember,
  rename,
  groupAsSeenBy,
  setRole,
} from './support/group-actions.js';
import { TestApp, type TestUser } from './support/test-app.js';

describe('group events', () => {
  let app: TestApp;
  let secondNode: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
    secondNode = await TestApp.start({ databaseUrl: app.databaseUrl });
  });
  afterAll(async () => {
    await secondNode.close();
    await app.close();
  });

  it('reach the members, and nobody else', async () => {
    const [ada, ben, cara, eve] = await fourUsers(app);
    const devices: Device[] = [];
    for (const user of [ada, ada, ben, cara, eve]) devices.push(await user.device());
    const group = await ada.group(ben);
    const shared = async () => {
      const { id, name, creator_id, member_count, last_change_seq } = await groupAsSeenBy(ben, group);
      return ['chat:updated', { id, name, creator_id, member_count, change_seq: last_change_seq }];
    };
    /** An event about a member as they are now. `since` is how many changes come after its own. */
    const about = async (event: string, { id }: TestUser, since = 0) => {
      const { members, last_change_seq } = await groupAsSeenBy(ben, group);
      const member = members.find(({ user_id }) => user_id === id);
      return [event, { chat_id: group.id, change_seq: last_change_seq - since, member }];
    };
    /** An event about a member who has come, or goes with the next change. */
    const counted = async (event: 'member:added' | 'member:removed', user: TestUser) => {
      const { member_count } = await groupAsSeenBy(ben, group);
      const isGoing = event === 'member:removed';
      const [, payload] = await about(event, user, isGoing ? -1 : 0);
      return [event, { ...(payload as object), member_count: isGoing ? member_count - 1 : member_count }];
    };
    const gone = [['chat:removed', { chat_id: group.id }]];
    const heardSoFar = devices.map(() => 0);
    /** The events of the group that each device has received since the last call: Ada's two, Ben's, Cara's, Eve's. */
    const news = async (): Promise<unknown[]> => {
      await untilDelivered([ada, ben, cara, eve], devices);
      return devices.map((device, at) => {
        const all = receivedIn(device, group);
        const fresh = all.slice(heardSoFar[at]);
        heardSoFar[at] = all.length;
        return fresh.map(({ event, payload }) => [event, payload]);
      });
    };
    const created = [['chat:created', group]];
    expect(await news()).toEqual([created, created, [['chat:created', { ...group, my_role: 'member' }]], [], []]);

    await rename(ada, group, ada);
    expect((await groupAsSeenBy(ben, group)).name).not.toBe(group.name);
    const renamed = [await shared()];
    expect(await news()).toEqual([renamed, renamed, renamed, [], []]);

    await putMember(ada, group, cara);
    const added = [await counted('member:added', cara)];
    const { members, ...view } = await groupAsSeenBy(cara, group);
    expect(members).toHaveLength(view.member_count);
    expect(await news()).toEqual([added, added, added, [['chat:created', view], ...added], []]);

    await setRole('admin')(ada, group, cara);
    const promoted = [await about('member:updated', cara)];
    expect(await news()).toEqual([promoted, promoted, promoted, promoted, []]);

    await setRole('owner')(ada, group, cara);
    const handed = [await about('member:updated', ada, 1), await about('member:updated', cara)];
    expect(await news()).toEqual([handed, handed, handed, handed, []]);

    await putMember(ada, group, eve);
    await news();
    const without = [await counted('member:removed', eve)];
    await deleteMember(ada, group, eve);
    expect(await news()).toEqual([without, without, without, without, gone]);

    const left = await counted('member:removed', cara);
    await deleteMember(cara, group, cara);
    const after = [left, await about('member:updated', ada)];
    expect(await news()).toEqual([after, after, after, gone, []]);

    await deleteGroup(ada, group, ada);
    expect(await news()).toEqual([gone, gone, gone, [], []]);
  });

  it('stop for a removed member at once, and the group is closed to them', async () => {
    const { group, owner, admin, member } = await groupWithAllRelations(app);
    const [device, owners] = [await member.device(), await owner.device()];
    const [mine, theirs] = [await member.say(group), await owner.say(group)];
    expect((await deleteMember(admin, group, member)).status).toBe(204);
    const again = { chat_id: group.id, text: mine.text, client_message_id: mine.client_message_id };
    const refused = [
      ...['', '/members'].map((rest) => member.get(`/chats/${group.id}${rest}`)),
      ...['/groups', '/history', '/messages/history'].map((path) => member.get(`${path}/${group.id}`)),
      ...[rename, deleteGroup, putMember, deleteMember, setRole('admin')].map((deed) => deed(member, group, member)),
      ...[mine, theirs].flatMap(({ id }) => [
        ...['', '/readers'].map((rest) => member.get(`/messages/${id}${rest}`)),
        member.post(`/messages/${id}/read`),
        member.patch(`/messages/${id}`, { text: 'x' }),
        member.delete(`/messages/${id}`),
      ]),
      member.post('/messages', again),
    ];
    for (const { status, body } of await Promise.all(refused)) {
      expect([status, body.code]).toEqual([404, expect.stringMatching(/not_found$/)]);
    }
    const acks = [
      device.raw('message:send', again),
      device.raw('message:read', { message_id: theirs.id }),
      device.raw('typing', { chat_id: group.id, is_typing: true }),
    ];
    for (const ack of await Promise.all(acks)) {
      expect(ack).toMatchObject({ ok: false, error: { code: expect.stringMatching(/^(chat|message)_not_found$/) } });
    }
    expect((await member.get('/chats')).body).toEqual([]);

    await owner.say(group);
    await rename(owner, group, owner);
    await owners.command('typing', { chat_id: group.id, is_typing: true });
    await untilDelivered([owner, member], [device, owners]);
    expect(receivedIn(device, group).at(-1)).toEqual({ event: 'chat:removed', payload: { chat_id: group.id } });
    await putMember(owner, group, member);
    expect((await member.get(`/history/${group.id}`)).body).toHaveLength(3);
  });

  it('contain no message that a member sends after the removal, however close the race is', async () => {
    const [owner, member] = await fourUsers(app);
    const group = await owner.group(member);
    const device = await owner.device();
    const mine = await member.device();
    /** Sends over a socket, or over REST on either node. Returns the `seq` or the error code. */
    const send = async (at: number): Promise<unknown> => {
      const message = { chat_id: group.id, text: `${at}`, client_message_id: `${at}` };
      if (at % 3 === 0) {
        const ack = await mine.command('message:send', message);
        return ack.ok ? ack.data.seq : ack.error.code;
      }
      const node = at % 3 === 1 ? app : secondNode;
      const { body } = await node.request('POST', '/messages', { token: member.token, body: message });
      return body.seq ?? body.code;
    };
    const batch = (from: number, count: number) => Array.from({ length: count }, (_, at) => send(from + at));
    const racing = batch(0, 20);
    await device.next('message:created');
    const removal = deleteMember(owner, group, member);
    racing.push(...batch(20, 20));
    expect((await removal).status).toBe(204);
    const late = batch(40, 10);
    const last = await owner.say(group);

    const refusal = 'chat_not_found';
    expect(new Set(await Promise.all(late))).toEqual(new Set([refusal]));
    const accepted = (await Promise.all(racing)).filter((outcome) => outcome !== refusal) as number[];
    const dense = [...accepted, last.seq].map((_, at) => at + 1);
    expect([...accepted.sort((a, b) => a - b), last.seq]).toEqual(dense);
    const { body: history } = await owner.get<Message[]>(`/messages/history/${group.id}?limit=100`);
    expect(history.map(({ seq }) => seq)).toEqual(dense);
    await untilDelivered([owner, member], [device, mine]);
    const since = (one: Device, event: string): Device['received'] => {
      const heard = receivedIn(one, group);
      return heard.slice(heard.findIndex((each) => each.event === event) + 1);
    };
    expect(since(mine, 'chat:removed')).toEqual([]);
    expect(since(device, 'member:removed').filter(({ payload }) => payload.sender_id === member.id)).toEqual([]);
  });
});
