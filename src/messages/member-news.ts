import { type MemberChanges, MemberDto } from '../chats/dto/member.dto.js';
import type { ChatNewsDto } from './dto/sync.dto.js';
import type { MessageNews } from './news.js';

/** How many members of a chat an answer names at the most, and how many who left; those of many chats together. */
export const MAX_NAMED = 100;
const MAX_NAMED_IN_ALL = 1_000;

type MemberNews = Pick<ChatNewsDto, 'members' | 'left_user_ids'>;

const NOTHING: MemberNews = { members: [], left_user_ids: [] };
/** The client has to drop the members that it holds. */
const TOO_MUCH: MemberNews = { members: null, left_user_ids: [] };

/** A chat of an answer of whose members the client may lack a change, as it holds those up to `since`. */
type Behind = MessageNews & { readonly since: number };

/**
 * Whether the client may lack a change of a member. A message that was changed after the chat was read counts: a cursor
 * may move to its `change_seq`.
 */
export function isBehind(chat: MessageNews): chat is Behind {
  const { since, last_change_seq, messages } = chat;
  return (
    since !== null && [last_change_seq, ...messages.map(({ change_seq }) => change_seq ?? 0)].some((n) => n > since)
  );
}

/**
 * The chats of an answer with their members' changes, which were read after the messages, and without a chat that the
 * client's user has left meanwhile.
 */
export function withMembers(chats: readonly MessageNews[], changes: readonly MemberChanges[]): ChatNewsDto[] {
  const found = new Map(changes.map((change) => [change.chat_id, change]));
  let room = MAX_NAMED_IN_ALL;
  const newsOf = (chat: MessageNews): MemberNews => {
    if (chat.since !== null && !isBehind(chat)) return NOTHING;
    const { members = [], left_user_ids = [] } = found.get(chat.id) ?? {};
    const isKnown = chat.since !== null && found.has(chat.id) && left_user_ids.length <= MAX_NAMED;
    if (!isKnown || members.length > Math.min(MAX_NAMED, room)) return TOO_MUCH;
    room -= members.length;
    return { members: members.map((row) => MemberDto.of(row)), left_user_ids };
  };
  return chats.map(({ since, ...view }) => ({ ...view, ...newsOf({ since, ...view }) }));
}
