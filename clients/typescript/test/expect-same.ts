import type { Chat, ChatWithMembers, Member } from '../../../src/contract/chats.js';
import type { Message } from '../../../src/contract/messages.js';
import type { TestUser } from '../../../test/support/test-app.js';
import type { Client } from '../src/client.js';
import type { HeldChat } from '../src/held-chat.js';
import { scopeOf } from './clients.js';

/** The fields of a chat that do not follow from its messages. */
const kept = ({
  id,
  type,
  name,
  creator_id,
  member_count,
  my_role,
  last_seq,
  last_read_seq,
  read_by_all_seq,
}: Omit<Chat, 'last_message' | 'activity_cursor' | 'last_change_seq'>) => {
  return { id, type, name, creator_id, member_count, my_role, last_seq, last_read_seq, read_by_all_seq };
};

/** A message without what this client adds. */
export const wireFields = ({ key: _, status: __, error: ___, change: ____, ...message }: any): Message => message;

const byId = (one: { id: number }, other: { id: number }): number => one.id - other.id;

/** Members without what moves without a `change_seq`. */
const listed = (members: readonly Member[]) =>
  members.map(({ user_id, name, role }) => ({ user_id, name, role })).sort((a, b) => a.user_id - b.user_id);

interface Differences {
  /** The last news came from events: then who has read the messages of others need not be known. */
  readonly isUnsynced?: boolean;
}

/** Checks that the client has what the server has, and the newest messages of each chat without a gap. */
export async function expectSame(
  client: Client,
  user: TestUser,
  { isUnsynced = false }: Differences = {},
): Promise<void> {
  const chats = (await user.get<Chat[]>('/chats?limit=100')).body;
  const { store } = scopeOf(client);
  const seen = <T extends { read_by_all_seq: number }>(chat: T): T =>
    isUnsynced ? { ...chat, read_by_all_seq: 0 } : chat;
  expect([...client.chats.list.get()].sort(byId).map(kept).map(seen)).toEqual(chats.sort(byId).map(kept).map(seen));
  for (const chat of chats) {
    const held: HeldChat = store.chats.get(chat.id);
    expect([held.seq, held.change_seq]).toEqual([chat.last_seq, chat.last_change_seq]);
    const stored = (await user.get<Message[]>(`/history/${chat.id}?limit=100`)).body;
    const from = held.timeline.runAt(held.seq)?.from ?? held.seq + 1;
    const own = stored
      .filter(({ seq }) => seq >= from)
      .map(({ client_message_id }) => client.chat(chat.id).message(client_message_id).get()!);
    const view = (message: Message): Message => (isUnsynced ? { ...message, is_read: false } : message);
    expect(own.map(wireFields).map(view)).toEqual(stored.filter(({ seq }) => seq >= from).map(view));
    await client.chat(chat.id).loadMembers();
    const { members } = (await user.get<ChatWithMembers>(`/chats/${chat.id}`)).body;
    expect(listed(client.chat(chat.id).state.get()!.members!)).toEqual(listed(members));
  }
}
