import type { Check } from './check.js';

const CHATS = 'src/chats/chats.service.ts';
const GROUPS = 'src/groups/groups.service.ts';
const CHANGES = 'src/messages/message-edits.service.ts';

const GROUP_ROLES: readonly Check[] = [
  {
    name: 'a group is seen by its members, and absent to others',
    file: GROUPS,
    cut: "await this.chats.requireMember(groupId, userId, 'group_not_found');",
  },
  {
    name: 'a private chat is no group to see',
    file: GROUPS,
    cut: "if (chat.type !== 'group') throw new AppError('group_not_found');",
  },
  {
    name: 'a group is changed by its members',
    file: GROUPS,
    cut: "await this.chats.requireMember(groupId, actorId, 'group_not_found')",
    put: "({ role: 'owner' } as ChatMember)",
  },
  {
    name: 'a private chat is no group to change',
    file: GROUPS,
    cut: "if (!chat || chat.type !== 'group') throw new AppError('not_a_group');",
  },
  {
    name: 'a change of a group needs its role',
    file: GROUPS,
    cut: "if (RANK[actor.role] < RANK[atLeast]) throw new AppError('forbidden');",
    put: 'void atLeast;',
  },
  {
    name: 'a name is given by admins',
    file: GROUPS,
    cut: "change(groupId, userId, 'admin', async () => {",
    put: "change(groupId, userId, 'member', async () => {",
  },
  {
    name: 'a group is deleted by its owner',
    file: GROUPS,
    cut: "change(groupId, userId, 'owner'",
    put: "change(groupId, userId, 'admin'",
  },
  {
    name: 'members are added by admins',
    file: GROUPS,
    cut: "change(groupId, actorId, 'admin', async (_,",
    put: "change(groupId, actorId, 'member', async (_,",
  },
  {
    name: 'members are removed by admins',
    file: GROUPS,
    cut: "change(groupId, actorId, 'admin', async (actor)",
    put: "change(groupId, actorId, 'member', async (actor)",
  },
  {
    name: 'nobody removes their equal',
    file: GROUPS,
    cut: "if (RANK[member.role] >= RANK[actor.role]) throw new AppError('forbidden');",
  },
  {
    name: 'roles are given by the owner',
    file: GROUPS,
    cut: "change(groupId, actorId, 'owner'",
    put: "change(groupId, actorId, 'admin'",
  },
  {
    name: 'an owner stays until the group has another',
    file: GROUPS,
    cut: "if (userId === actorId) throw new AppError('forbidden', 'Hand the group over first.');",
  },
];

const PEOPLE: readonly Check[] = [
  {
    name: 'a private chat is with somebody else',
    file: CHATS,
    cut: "if (otherId === userId) throw AppError.invalidField('user_id', 'must be somebody else');",
  },
  {
    name: 'a private chat is with somebody who is there',
    file: CHATS,
    cut: 'await this.users.requireAll(pair);',
  },
  {
    name: 'a group is of people who are there',
    file: CHATS,
    cut: 'await this.users.requireAll([userId, ...others]);',
  },
  {
    name: 'a new member is somebody who is there',
    file: GROUPS,
    cut: 'await this.users.requireAll([userId]);',
  },
  {
    name: 'one blocks somebody else',
    file: 'src/chats/blocks.service.ts',
    cut: "if (otherId === userId) throw AppError.invalidField('id', 'must be somebody else');",
  },
  {
    name: 'no private chat is opened over a block',
    file: CHATS,
    cut: "if (await this.blocks.existsBetween(...pair)) throw new AppError('blocked');",
  },
  {
    name: 'no message is sent over a block',
    file: 'migrations/1795734000000-Baseline.ts',
    cut: "WHEN c.blocked THEN 'blocked'",
  },
  {
    name: 'no message is edited over a block',
    file: CHANGES,
    cut: "if (chat.blocked) throw new AppError('blocked');",
  },
  {
    name: 'nobody hears typing over a block',
    file: 'src/chats/members.repository.ts',
    cut: "CASE WHEN c.blocked THEN '{}' ELSE ${FEW_MEMBER_IDS} END",
    put: '${FEW_MEMBER_IDS}',
    red: ['test/blocking'],
  },
  {
    name: 'a list of blocks has the own ones',
    file: 'src/chats/blocks.repository.ts',
    cut: ' AND block.blockerId = :blockerId',
    put: ' AND :blockerId > 0',
    red: ['test/blocking'],
  },
];

export const peopleChecks = [...GROUP_ROLES, ...PEOPLE];
