import type { Check } from './check.js';

// Who may change groups, and with whom users may talk.

const ADDITIONS = 'src/chats/additions.service.ts';
const CHATS = 'src/chats/chats.service.ts';
const GROUPS = 'src/groups/groups.service.ts';
const CHANGES = 'src/messages/message-edits.service.ts';

const GROUP_ROLES: readonly Check[] = [
  {
    name: "a private chat can't be read as a group",
    file: GROUPS,
    cut: "if (chat.type !== 'group') throw new AppError('group_not_found');",
  },
  {
    name: 'only members may change a group',
    file: GROUPS,
    cut: "await this.chats.requireMember(groupId, actorId, 'group_not_found')",
    put: "({ role: 'owner' } as ChatMember)",
  },
  {
    name: "a private chat can't be changed as a group",
    file: GROUPS,
    cut: "if (!chat || chat.type !== 'group') throw new AppError('not_a_group');",
  },
  {
    name: 'a change of a group requires the role for it',
    file: GROUPS,
    cut: "if (RANK[actor.role] < RANK[atLeast]) throw new AppError('forbidden');",
    put: 'void atLeast;',
  },
  {
    name: 'only admins and the owner may rename a group',
    file: GROUPS,
    cut: "change(groupId, userId, 'admin', async () => {",
    put: "change(groupId, userId, 'member', async () => {",
  },
  {
    name: 'only the owner may delete a group',
    file: GROUPS,
    cut: "change(groupId, userId, 'owner'",
    put: "change(groupId, userId, 'admin'",
  },
  {
    name: 'only admins and the owner may add members',
    file: GROUPS,
    cut: "change(groupId, actorId, 'admin', async (_,",
    put: "change(groupId, actorId, 'member', async (_,",
  },
  {
    name: 'only admins and the owner may remove members',
    file: GROUPS,
    cut: "change(groupId, actorId, 'admin', async (actor)",
    put: "change(groupId, actorId, 'member', async (actor)",
  },
  {
    name: 'a member may be removed only by a higher role',
    file: GROUPS,
    cut: "if (RANK[member.role] >= RANK[actor.role]) throw new AppError('forbidden');",
  },
  {
    name: 'only the owner may change roles',
    file: GROUPS,
    cut: "change(groupId, actorId, 'owner'",
    put: "change(groupId, actorId, 'admin'",
  },
  {
    name: "the owner can't give up the role without a new owner",
    file: GROUPS,
    cut: "if (userId === actorId) throw new AppError('forbidden', 'Hand the group over first.');",
  },
];

const PEOPLE: readonly Check[] = [
  {
    name: 'a private chat needs an existing user',
    file: ADDITIONS,
    cut: 'await this.users.requireAll(pair);',
  },
  {
    name: 'a group needs existing users',
    file: ADDITIONS,
    cut: 'await this.users.requireAll([makerId, ...otherIds]);',
  },
  {
    name: 'a new member is an existing user',
    file: ADDITIONS,
    cut: 'await this.users.requireAll([userId]);',
  },
  {
    name: "users can't block themselves",
    file: 'src/chats/blocks.service.ts',
    cut: "if (otherId === userId) throw AppError.invalidField('id', 'must be somebody else');",
  },
  {
    name: 'a block prevents a new private chat',
    file: CHATS,
    cut: "if (await this.blocks.existsBetween(...pair)) throw new AppError('blocked');",
  },
  {
    name: 'a block keeps the blocked user from adding the blocker to a group',
    file: ADDITIONS,
    cut: "if (one.has_blocked) return new AppError('blocked', 'They have blocked you.');",
  },
  {
    name: 'a user is added to groups only by those whom their setting allows',
    file: ADDITIONS,
    cut: "one.addable_by === 'correspondents' && !hasWritten",
    put: 'one.id === 0',
    red: ['test/blocking'],
  },
  {
    name: 'a group has a bounded number of members',
    file: ADDITIONS,
    cut: 'if (others >= groupMembers) throw',
    put: 'if (others < 0) throw',
    red: ['test/group-bounds'],
  },
  {
    name: 'a user is in a bounded number of chats',
    file: ADDITIONS,
    cut: 'return chats >= this.config.bounds.chats;',
    put: 'return chats < 0;',
    red: ['test/group-bounds'],
  },
  {
    name: 'a user makes a bounded number of groups a day',
    file: ADDITIONS,
    cut: 'if (groups_made > groupsPerDay) throw',
    put: 'if (groups_made < 0) throw',
    red: ['test/group-bounds'],
  },
  {
    name: 'a user adds a bounded number of people to groups a day',
    file: ADDITIONS,
    cut: 'if (people_added > additionsPerDay) {',
    put: 'if (people_added < 0) {',
    red: ['test/group-bounds'],
  },
  {
    name: 'a block prevents messages',
    file: 'migrations/1795734000000-Baseline.ts',
    cut: "WHEN c.blocked THEN 'blocked'",
  },
  {
    name: 'a block prevents edits',
    file: CHANGES,
    cut: "if (chat.blocked) throw new AppError('blocked');",
  },
  {
    name: 'a block stops typing events',
    file: 'src/chats/members.repository.ts',
    cut: "CASE WHEN c.blocked THEN '{}' ELSE ${FEW_MEMBER_IDS} END",
    put: '${FEW_MEMBER_IDS}',
    red: ['test/blocking'],
  },
  {
    name: "the list of blocked users has only the user's blocks",
    file: 'src/chats/blocks.repository.ts',
    cut: ' AND block.blockerId = :blockerId',
    put: ' AND :blockerId > 0',
    red: ['test/blocking'],
  },
];

export const peopleChecks = [...GROUP_ROLES, ...PEOPLE];
