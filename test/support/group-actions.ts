import type { Chat, Member } from '../../src/contract/chats.js';
import type { Answer } from './http.js';
import { type TestApp, type TestUser, unique } from './test-app.js';

/** What somebody does to a group, and to somebody in it. */
export type GroupAction = (as: TestUser, group: { id: number }, target: { id: number }) => Promise<Answer>;

export const put: GroupAction = (as, group, { id }) => as.put(`/groups/${group.id}/members/${id}`);
export const addUser: GroupAction = (as, group, { id }) => as.post(`/groups/${group.id}/add_user/${id}`);
export const remove: GroupAction = (as, group, { id }) => as.delete(`/groups/${group.id}/members/${id}`);
export const removeUser: GroupAction = (as, group, { id }) => as.post(`/groups/${group.id}/remove_user/${id}`);
export const rename: GroupAction = (as, group) => as.patch(`/groups/${group.id}`, { name: `Name ${unique()}` });
export const dissolve: GroupAction = (as, group) => as.delete(`/groups/${group.id}`);
export const setRole =
  (role: string): GroupAction =>
  (as, group, { id }) =>
    as.patch(`/groups/${group.id}/members/${id}`, { role });

export const PLACES = ['outsider', 'member', 'admin', 'owner'] as const;
/** Where somebody stands to a group. */
export type Place = (typeof PLACES)[number];

export const people = async (app: TestApp) => (await app.users(4)) as [TestUser, TestUser, TestUser, TestUser];

/** A group with somebody at each place. */
export async function cast(app: TestApp): Promise<Record<Place, TestUser> & { group: Chat }> {
  const [owner, admin, member, outsider] = await people(app);
  const group = await owner.group(admin, member);
  await setRole('admin')(owner, group, admin);
  return { owner, admin, member, outsider, group };
}

/** The group as the user sees it. */
export const seenBy = async (user: TestUser, { id }: { id: number }) =>
  (await user.get<Chat & { members: Member[] }>(`/groups/${id}`)).body;
