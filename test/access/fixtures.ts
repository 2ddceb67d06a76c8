import { randomUUID } from 'node:crypto';
import type { Chat } from '../../src/contract/chats.js';
import type { Message } from '../../src/contract/messages.js';
import { type TestApp, type TestUser, unique } from '../support/test-app.js';
import { type Relation, RELATIONS } from './tables.js';

/** The first id of each table: a chat's id never occurs as another id, and all ids are as long as ABSENT_ID. */
const FIRST_IDS = { users: 1_000_000, messages: 2_000_000, chats: 3_000_000 };
const ABSENT_ID = 9_999_999;
const ABSENT_UUID = '00000000-0000-4000-8000-000000000000';

/** A group with a user in each relation to it, and a message of every current and former member. */
interface GroupFixture {
  readonly group: Chat;
  readonly messages: ReadonlyMap<TestUser, Message>;
  /** What the owner sees of the group right after it was made. */
  readonly view: unknown;
}

type Value = number | string;

/** A user who blocks every caller, a user whom every caller blocks, and messages sent before the blocks. */
interface BlockedFixture {
  readonly blocker: TestUser;
  readonly person: TestUser;
  readonly messages: ReadonlyMap<TestUser, Message>;
}

/** The users and objects that the matrix names, made over REST. A group that a row has used up is made again. */
export class Fixtures {
  private groupFixture: GroupFixture | undefined;

  private constructor(
    readonly people: Readonly<Record<Relation, TestUser>>,
    private readonly peer: TestUser,
    private readonly otherAdmin: TestUser,
    private readonly newcomer: TestUser,
    private readonly strangers: readonly [TestUser, TestUser],
    private readonly privateChats: ReadonlyMap<TestUser, Chat>,
    private readonly blocked: BlockedFixture,
    private readonly foreign: { readonly group: Chat; readonly privateChat: Chat; readonly messages: Message[] },
  ) {}

  static async create(app: TestApp): Promise<Fixtures> {
    for (const [table, first] of Object.entries(FIRST_IDS)) {
      await app.sql(`ALTER TABLE ${table} ALTER id RESTART WITH ${first}`);
    }
    const users = await app.users(RELATIONS.length);
    const [peer, otherAdmin, newcomer, ...strangers] = (await app.users(5)) as [
      TestUser,
      TestUser,
      TestUser,
      TestUser,
      TestUser,
    ];
    const chats = await Promise.all(users.map(async (user) => [user, await user.privateChat(peer)] as const));
    const [stranger, friend] = strangers;
    const group = await stranger.group(friend);
    const privateChat = await stranger.privateChat(friend);
    const messages = [await stranger.say(group), await friend.say(privateChat)];
    const people = Object.fromEntries(RELATIONS.map((place, index) => [place, users[index]!])) as Record<
      Relation,
      TestUser
    >;
    return new Fixtures(
      people,
      peer,
      otherAdmin,
      newcomer,
      [stranger, friend],
      new Map(chats),
      await block(app, users),
      {
        group,
        privateChat,
        messages,
      },
    );
  }

  /** The id, token or text that a name of the matrix stands for, for this caller. */
  async find(thing: string, caller: TestUser): Promise<Value> {
    const { peer, foreign, newcomer } = this;
    const [stranger] = this.strangers;
    const { group, messages } = await this.currentGroup();
    switch (thing) {
      case 'group':
        return group.id;
      case 'before group':
        return group.id - 1;
      case 'private chat':
        return this.privateChatOf(caller).id;
      case 'blocked chat':
        return this.blocked.messages.get(caller)!.chat_id;
      case 'own blocked message':
        return this.blocked.messages.get(caller)!.id;
      case 'blocker':
        return this.blocked.blocker.id;
      case 'blocked person':
        return this.blocked.person.id;
      case 'foreign group':
        return foreign.group.id;
      case 'before foreign group':
        return foreign.group.id - 1;
      case 'foreign private chat':
        return foreign.privateChat.id;
      case 'own message':
        return (messages.get(caller) ?? messages.get(peer)!).id;
      case "peer's message":
        return messages.get(peer)!.id;
      case "owner's message":
        return messages.get(this.people.owner)!.id;
      case 'own private message':
        return (await caller.say(this.privateChatOf(caller))).id;
      case "peer's private message":
        return (await peer.say(this.privateChatOf(caller))).id;
      case 'foreign message':
        return foreign.messages[0]!.id;
      case 'foreign private message':
        return foreign.messages[1]!.id;
      case 'oneself':
        return caller.id;
      case 'peer':
        return peer.id;
      case 'another admin':
        return this.otherAdmin.id;
      case 'owner':
        return this.people.owner.id;
      case 'newcomer':
        return newcomer.id;
      case 'absent chat':
      case 'absent message':
      case 'absent user':
        return ABSENT_ID;
      case 'own session':
        return (await caller.app.login(caller)).sessionId;
      case 'foreign session':
        return stranger.sessionId;
      case 'absent session':
        return ABSENT_UUID;
      case 'new key':
        return randomUUID();
      case "key of peer's message":
        return messages.get(peer)!.client_message_id;
      case "text of peer's message":
        return messages.get(peer)!.text!;
      case 'own token':
        return caller.token;
      case 'foreign token':
        return stranger.token;
      case 'absent token':
        return 'a.b.c';
      case 'new refresh token':
        return (await caller.app.login(caller)).refreshToken;
      case 'own email':
        return caller.email;
      case 'new email':
        return `new${unique()}@example.com`;
      case 'absent email':
        return 'nobody@example.com';
      default:
        throw new Error(`the matrix names an unknown thing: ${thing}`);
    }
  }

  /** Expects that the owner sees the group as it was made: no refused write has changed it. */
  async expectUnchanged(): Promise<void> {
    const { group, view } = await this.currentGroup();
    expect(await viewOf(this.people.owner, group)).toEqual(view);
  }

  /** What the strangers see of their own chats, which no caller may change. */
  async foreignView(): Promise<unknown> {
    const [stranger] = this.strangers;
    return [await viewOf(stranger, this.foreign.group), await viewOf(stranger, this.foreign.privateChat)];
  }

  /** Makes the next use of the group create a new one. */
  discardGroup(): void {
    this.groupFixture = undefined;
  }

  private privateChatOf(caller: TestUser): Chat {
    return this.privateChats.get(caller)!;
  }

  private async currentGroup(): Promise<GroupFixture> {
    return (this.groupFixture ??= await this.buildGroup());
  }

  private async buildGroup(): Promise<GroupFixture> {
    const { people, peer, otherAdmin } = this;
    const { owner, admin, member, 'ex-member': former } = people;
    const group = await owner.group(admin, otherAdmin, member, peer, former);
    const messages = new Map<TestUser, Message>();
    for (const user of [owner, admin, otherAdmin, member, former, peer]) messages.set(user, await user.say(group));
    for (const { id } of [admin, otherAdmin]) await owner.patch(`/groups/${group.id}/members/${id}`, { role: 'admin' });
    await owner.delete(`/groups/${group.id}/members/${former.id}`);
    await owner.app.writeActivity();
    return { group, messages, view: await viewOf(owner, group) };
  }
}

async function block(app: TestApp, users: readonly TestUser[]): Promise<BlockedFixture> {
  const [blocker, person, friend] = (await app.users(3)) as [TestUser, TestUser, TestUser];
  const messages = new Map<TestUser, Message>();
  for (const user of users) {
    messages.set(user, await user.say(await user.privateChat(friend)));
    await friend.put(`/users/${user.id}/block`);
    await blocker.put(`/users/${user.id}/block`);
    await user.put(`/users/${person.id}/block`);
  }
  return { blocker, person, messages };
}

/** The chat with its members and its history, as the user sees it. */
async function viewOf(user: TestUser, { id }: Chat): Promise<unknown> {
  const [chat, history] = await Promise.all([user.get(`/chats/${id}`), user.get(`/messages/history/${id}`)]);
  // The activity is written up to a second after the message that it is about.
  return [{ ...chat.body, activity_cursor: undefined }, history.body];
}
