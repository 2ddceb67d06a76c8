import type { Chat, Member } from '../../src/contract/chats.js';
import type { Answer } from './http.js';
import { type TestApp, type TestUser, unique } from './test-app.js';

// Groups for the specs about them: requests that change a group, and a group with a user in every relation to it.

/** A request of one user that changes a group, and in most cases another user's membership. */
export type GroupAction = (as: TestUser, group: { id: number }, target: { id: number }) => Promise<Answer>;

export const putMember: GroupAction = (as, group, { id }) => as.put(`/groups/${group.id}/members/${id}`);
export const addUser: GroupAction = (as, group, { id }) => as.post(`/groups/${group.id}/add_user/${id}`);
export const deleteMember: GroupAction = (as, group, { id }) => as.delete(`/groups/${group.id}/members/${id}`);
export const removeUser: GroupAction = (as, group, { id }) => as.post(`/groups/${group.id}/remove_user/${id}`);
export const rename: GroupAction = (as, group) => as.patch(`/groups/${group.id}`, { name: `Name ${unique()}` });
export const deleteGroup: GroupAction = (as, group) => as.delete(`/groups/${group.id}`);
export const setRole =
  (role: string): GroupAction =>
  (as, group, { id }) =>
    as.patch(`/groups/${group.id}/members/${id}`, { role });

export const RELATIONS = ['outsider', 'member', 'admin', 'owner'] as const;
/** The relation of a user to a group. */
export type Relation = (typeof RELATIONS)[number];

export const fourUsers = async (app: TestApp) => (await app.users(4)) as [TestUser, TestUser, TestUser, TestUser];

/** Creates a group, with a user in each relation to it. */
export async function groupWithAllRelations(app: TestApp): Promise<Record<Relation, TestUser> & { group: Chat }> {
  const [owner, admin, member, outsider] = await fourUsers(app);
  const group = await owner.group(admin, member);
  await setRole('admin')(owner, group, admin);
  return { owner, admin, member, outsider, group };
}

/** The group in the view of the user. */
export const groupAsSeenBy = async (user: TestUser, { id }: { id: number }) =>
  (await user.get<Chat & { members: Member[] }>(`/groups/${id}`)).body;
