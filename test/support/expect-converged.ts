import type { Chat, Member } from '../../src/contract/chats.js';
import type { Message } from '../../src/contract/messages.js';
import type { SyncingClient } from './syncing-client.js';

/** The fields of a chat that do not follow from its messages. */
const kept = ({ id, type, name, creator_id, member_count, my_role, last_read_seq }: Chat) => {
  return { id, type, name, creator_id, member_count, my_role, last_read_seq };
};

/** Members without what moves without a `change_seq`. */
const listed = (members: Iterable<Member>) =>
  [...members]
    .map(({ user_id, name, role, joined_at }) => ({ user_id, name, role, joined_at }))
    .sort((one, other) => one.user_id - other.user_id);

/**
 * Checks that the client's replica equals the server's state, and holds the newest messages of each chat without a gap.
 * `isSynced`: its last news came from a sync. Otherwise it need not know who has read the messages of others.
 */
export async function expectConverged({ user, replica }: SyncingClient, isSynced: boolean): Promise<void> {
  const chats = (await user.get<Chat[]>('/chats?limit=100')).body;
  expect([...replica.chats.keys()].sort((a, b) => a - b)).toEqual(chats.map(({ id }) => id).sort((a, b) => a - b));
  for (const chat of chats) {
    const { chat: held, from, seq, change_seq, messages, members } = replica.chats.get(chat.id)!;
    expect([seq, change_seq]).toEqual([chat.last_seq, chat.last_change_seq]);
    expect(kept(held)).toEqual(kept(chat));
    expect(seq - held.last_read_seq).toBe(chat.unread_count);
    if (isSynced) expect(held.read_by_all_seq).toBe(chat.read_by_all_seq);
    expect(listed(members!.values())).toEqual(listed((await user.get<Member[]>(`/chats/${chat.id}/members`)).body));
    const readByAll = isSynced ? held.read_by_all_seq : chat.read_by_all_seq;
    const own = [...messages.values()]
      .sort((a, b) => a.seq - b.seq)
      .map((message) => ({ ...message, is_read: message.seq <= readByAll }));
    const stored = (await user.get<Message[]>(`/history/${chat.id}?limit=100`)).body;
    expect(own).toEqual(stored.filter((message) => message.seq >= from));
  }
}
